//! Where a request comes from, as the browser tells it: pages cannot choose what stands in `Origin` and `Sec-Fetch-Site`.

use axum::http::{HeaderMap, Method, StatusCode, header};

use super::Refusal;

pub(super) const WRONG_METHOD: Refusal =
    Refusal(StatusCode::METHOD_NOT_ALLOWED, "The console takes GET, HEAD and POST only.");
pub(super) const OTHER_SITE: Refusal = Refusal(
    StatusCode::FORBIDDEN,
    "This request does not come from a page of the console. Nothing was done. Open the console, and do it there.",
);

/// Refuses what another site's page has sent. A link from there may be followed; nothing more.
pub(super) fn check(method: &Method, headers: &HeaderMap) -> Result<(), Refusal> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let site = text("sec-fetch-site");
    if method.is_safe() && matches!(*method, Method::GET | Method::HEAD) {
        let is_other = matches!(site, Some("cross-site" | "same-site"));
        let is_link =
            text("sec-fetch-mode") == Some("navigate") && text("sec-fetch-dest") == Some("document");
        return if is_other && !is_link { Err(OTHER_SITE) } else { Ok(()) };
    }
    if *method != Method::POST {
        return Err(WRONG_METHOD);
    }
    let is_own_site = site.map(|site| site == "same-origin");
    let is_own_origin = headers.get(header::ORIGIN).map(|_| is_own_origin(text("origin"), text("host")));
    match (is_own_site, is_own_origin) {
        // A browser sends at least one of them; whoever sends none is no browser, and knows where the verbs are.
        (None, None) | (Some(false), _) | (_, Some(false)) => Err(OTHER_SITE),
        _ => Ok(()),
    }
}

/// Whether the origin is the host that the request was sent to, whose name has been checked. `https` where somebody has put
/// TLS before the console.
fn is_own_origin(origin: Option<&str>, host: Option<&str>) -> bool {
    let (Some(origin), Some(host)) = (origin, host) else { return false };
    let authority = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
    authority.is_some_and(|authority| authority.eq_ignore_ascii_case(host))
}
