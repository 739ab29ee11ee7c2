//! X-Ray's trace header, as it goes from the sender of a message to the worker: who has the id of the trace finds every
//! line about the message. Source: "Tracing header" in the X-Ray developer guide, "Request tracing" in Elastic Load Balancing's.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A trace header that has the documented form: `Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1`.
///
/// The fields `Root`, `Parent`, `Sampled`, `Self` and `Lineage` are checked; others, which AWS lets an application add, may
/// have letters, digits and `-_.:|`. A header without a `Root` names no trace and is none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TraceHeader(String);

/// The text is no trace header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a trace header of X-Ray, Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1")]
pub struct InvalidTraceHeader;

impl TraceHeader {
    /// The longest that is taken, in characters: as many as `StartExecution` takes (`API_StartExecution`, `traceHeader`).
    pub const MAX_LENGTH: usize = 256;

    /// The header as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The id of the trace: `1-5759e988-bd862e3fe1be46a994272793`.
    #[must_use]
    pub fn trace_id(&self) -> &str {
        fields(&self.0).find(|(name, _)| *name == "Root").map_or("", |(_, id)| id)
    }
}

/// The fields, each with its value; a part without `=` is a field without a name.
fn fields(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.split(';').map(|field| field.split_once('=').unwrap_or(("", field)))
}

fn is_valid(name: &str, value: &str) -> bool {
    let hexadecimal =
        |text: &str, length: usize| text.len() == length && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let all = |text: &str, others: &str| {
        let is_one = |byte: u8| byte.is_ascii_alphanumeric() || others.as_bytes().contains(&byte);
        !text.is_empty() && text.bytes().all(is_one)
    };
    match name {
        "Root" | "Self" => {
            let parts: Vec<_> = value.split('-').collect();
            matches!(parts[..], ["1", time, random] if hexadecimal(time, 8) && hexadecimal(random, 24))
        }
        "Parent" => hexadecimal(value, 16),
        "Sampled" => ["0", "1", "?"].contains(&value),
        "Lineage" => all(value, ":|"),
        _ => all(name, "-_.") && all(value, "-_.:|"),
    }
}

impl FromStr for TraceHeader {
    type Err = InvalidTraceHeader;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // A semicolon at the end is seen in headers of load balancers.
        let text = text.strip_suffix(';').unwrap_or(text);
        let is_fit = text.len() <= Self::MAX_LENGTH
            && fields(text).all(|(name, value)| is_valid(name, value))
            && fields(text).filter(|(name, _)| *name == "Root").count() == 1;
        if is_fit { Ok(Self(text.to_owned())) } else { Err(InvalidTraceHeader) }
    }
}

impl TryFrom<String> for TraceHeader {
    type Error = InvalidTraceHeader;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<TraceHeader> for String {
    fn from(header: TraceHeader) -> Self {
        header.0
    }
}

impl fmt::Display for TraceHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOT: &str = "Root=1-5759e988-bd862e3fe1be46a994272793";

    #[test]
    fn the_documented_forms_are_taken_with_their_traces_id() {
        for rest in [
            "",
            ";",
            ";Sampled=1",
            ";Parent=53995c3f42cd8ad8;Sampled=0",
            ";Parent=53995c3f42cd8ad8;Sampled=?;Lineage=a87bd80c:1|68fd508a:5|c512fbe3:2",
            ";CalledFrom=app",
        ] {
            let header: TraceHeader = format!("{ROOT}{rest}").parse().unwrap();
            assert_eq!(header.trace_id(), "1-5759e988-bd862e3fe1be46a994272793");
        }
        let own = format!("Self=1-67891234-12456789abcdef012345678a;{ROOT}");
        assert_eq!(own.parse::<TraceHeader>().unwrap().to_string(), own);
    }

    #[test]
    fn anything_else_is_no_trace_header() {
        let long = format!("{ROOT};a={}", "x".repeat(TraceHeader::MAX_LENGTH));
        for text in [
            "",
            "Sampled=1",
            "Root=",
            "Root=2-5759e988-bd862e3fe1be46a994272793",
            "Root=1-5759e988-bd862e3fe1be46a99427279",
            "Root=1-5759e988-bd862e3fe1be46a99427279g",
            "Root=1-5759e988-bd862e3fe1be46a994272793-1",
            &format!("{ROOT};{ROOT}"),
            &format!("{ROOT};Parent=53995c3f42cd8ad"),
            &format!("{ROOT};Sampled=yes"),
            &format!("{ROOT};Sampled"),
            &format!("{ROOT};;Sampled=1"),
            &format!("{ROOT}; Sampled=1"),
            &format!("{ROOT}\n"),
            &format!("{ROOT};a=\u{1b}[31m"),
            &format!("{ROOT};a=\"}}"),
            &format!("{ROOT};名=1"),
            &long,
        ] {
            assert_eq!(text.parse::<TraceHeader>(), Err(InvalidTraceHeader), "{text:?}");
            assert!(serde_json::from_value::<TraceHeader>(text.into()).is_err(), "{text:?}");
        }
    }
}
