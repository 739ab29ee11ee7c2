//! An HTTP front before the stack, for troubles that bytes do not show: it passes requests on as they are, signature and
//! all, and answers, holds back or damages those that a test has chosen. A request is known by its operation or its path.

mod answer;
mod body;
mod rules;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::uri::{Authority, Scheme};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::wait;
pub use answer::Answer;
use body::Damage;
pub use rules::{Asked, Held};
use rules::{Rules, Verdict};

/// A front on a free port of 127.0.0.1. It ends with its handle; what it holds back goes on then.
pub struct Front {
    address: SocketAddr,
    endpoint: String,
    shared: Arc<Shared>,
    /// Its end is the end of the server.
    _alive: oneshot::Sender<()>,
}

struct Shared {
    rules: Rules,
    client: Client<HttpConnector, Body>,
}

impl Front {
    /// Listens, and passes requests on once it has been told where to (see [`Front::pass_to`]).
    pub async fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("there is a free port");
        let address = listener.local_addr().expect("a listener has an address");
        let shared = Arc::new(Shared {
            rules: Rules::default(),
            client: Client::builder(TokioExecutor::new()).build_http(),
        });
        let router = Router::new().fallback(take).with_state(Arc::clone(&shared));
        let (alive, ended) = oneshot::channel::<()>();
        let serving = axum::serve(listener, router).with_graceful_shutdown(async { drop(ended.await) });
        tokio::spawn(async move { serving.await });
        Self { address, endpoint: format!("http://{address}"), shared, _alive: alive }
    }

    /// Where the front answers, for `AWS_ENDPOINT_URL`.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Where the front listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Names the stack behind the front: `http://127.0.0.1:<port>`.
    pub fn pass_to(&self, endpoint: &str) {
        let authority = endpoint.strip_prefix("http://").and_then(|rest| rest.parse().ok());
        self.shared.rules.pass_to(authority.expect("a stack's endpoint is an address"));
    }

    /// Answers the requests that `chosen` accepts by `answer`, until [`Front::no_more`].
    pub fn answer(&self, chosen: impl Fn(&Asked) -> bool + Send + 'static, answer: Answer) {
        self.shared.rules.add(chosen, answer, None);
    }

    /// Answers the next `times` requests that `chosen` accepts by `answer`.
    pub fn answer_times(
        &self,
        times: usize,
        chosen: impl Fn(&Asked) -> bool + Send + 'static,
        answer: Answer,
    ) {
        self.shared.rules.add(chosen, answer, Some(times));
    }

    /// Holds back the next request that `chosen` accepts.
    pub fn hold(&self, chosen: impl Fn(&Asked) -> bool + Send + 'static) -> Held {
        self.shared.rules.hold(chosen)
    }

    /// Ends all trouble; what is held back stays so.
    pub fn no_more(&self) {
        self.shared.rules.clear();
    }

    /// What has been asked so far.
    #[must_use]
    pub fn asked(&self) -> Vec<Asked> {
        self.shared.rules.asked()
    }

    /// Waits until `count` requests that `chosen` accepts have come.
    pub async fn asked_times(&self, count: usize, chosen: impl Fn(&Asked) -> bool) {
        let look = async || self.asked().iter().filter(|asked| chosen(asked)).count();
        wait::until("requests at the front", look, |seen| *seen >= count).await;
    }
}

async fn take(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let asked = Asked::of(&request);
    let answer = match shared.rules.judge(&asked) {
        Verdict::PassOn => return shared.pass_on(request).await,
        Verdict::Hold(held) => {
            held.release.await;
            return shared.pass_on(request).await;
        }
        Verdict::Answer(answer) => answer,
    };
    match answer {
        Answer::Error { status, code } => answer::error(&asked, status, code),
        Answer::LoseAnswer => {
            shared.pass_on(request).await;
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
        Answer::CutBody { after } => body::damaged(shared.pass_on(request).await, after, Damage::Cut),
        Answer::StallBody { after } => body::damaged(shared.pass_on(request).await, after, Damage::Stall),
    }
}

impl Shared {
    async fn pass_on(&self, mut request: Request) -> Response {
        // The `Host` stays as it is: it is part of the signature.
        let answered = match self.rules.target().map(|target| redirected(request.uri(), target)) {
            Some(uri) => {
                *request.uri_mut() = uri;
                self.client.request(request).await.ok()
            }
            None => None,
        };
        answered.map_or_else(|| StatusCode::BAD_GATEWAY.into_response(), |response| response.map(Body::new))
    }
}

fn redirected(uri: &Uri, target: Authority) -> Uri {
    let mut parts = uri.clone().into_parts();
    parts.scheme = Some(Scheme::HTTP);
    parts.authority = Some(target);
    Uri::from_parts(parts).expect("a URI with scheme, authority and path is one")
}

#[cfg(test)]
mod tests;
