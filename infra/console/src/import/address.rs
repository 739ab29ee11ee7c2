//! The address of the page: which import, and which part of what is known of it is shown.

use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use statemachine::JobId;

/// What an address may ask for: an execution by its name; a page of its history and its order; where the rejects begin; all
/// attempts; the attempt whose log is shown; the part that moves alone; a notice.
const FIELDS: [&str; 8] =
    ["execution", "events", "order", "rejects", "attempts", "log", "fragment", "notice"];

/// An address of the page.
#[derive(Debug)]
pub(super) struct Address {
    pub(super) id: JobId,
    asked: Vec<(&'static str, String)>,
}

impl Address {
    /// What a query asks for; what is not known is left out.
    pub(super) fn read(id: JobId, query: &str) -> Self {
        let asked = query.split('&').filter_map(|pair| {
            let (name, value) = pair.split_once('=')?;
            let name = FIELDS.into_iter().find(|known| *known == name)?;
            let value = value.replace('+', " ");
            let value = percent_decode_str(&value).decode_utf8().ok()?;
            (!value.is_empty()).then(|| (name, value.into_owned()))
        });
        Self { id, asked: asked.collect() }
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.asked.iter().find(|(field, _)| *field == name).map(|(_, value)| value.as_str())
    }

    /// This address with some of it changed, at a part of the page. The notice is told once.
    pub(super) fn link(&self, changes: &[(&'static str, Option<&str>)], part: &str) -> String {
        let is_kept = |name: &str| {
            !matches!(name, "notice" | "fragment") && changes.iter().all(|(change, _)| *change != name)
        };
        let kept =
            self.asked.iter().filter(|(name, _)| is_kept(name)).map(|(name, value)| (*name, value.as_str()));
        let changed = changes.iter().filter_map(|(name, value)| Some((*name, (*value)?)));
        let fields: Vec<_> = kept
            .chain(changed)
            .map(|(name, value)| format!("{name}={}", utf8_percent_encode(value, NON_ALPHANUMERIC)))
            .collect();
        let query = if fields.is_empty() { String::new() } else { format!("?{}", fields.join("&")) };
        let part = if part.is_empty() { String::new() } else { format!("#{part}") };
        format!("/imports/{}{query}{part}", self.id)
    }

    /// What can be done or had of this import.
    pub(super) fn below(&self, place: &str) -> String {
        format!("/imports/{}/{place}", self.id)
    }

    /// The execution that is asked for, by its name.
    pub(super) fn execution(&self) -> Option<&str> {
        self.get("execution")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(query: &str) -> Address {
        Address::read("7".parse().unwrap(), query)
    }

    #[test]
    fn a_link_keeps_what_it_does_not_change() {
        let here = address("execution=7-m&rejects=100&notice=x&evil=1&events=a%26b%3D");
        assert_eq!(here.get("events"), Some("a&b="));
        assert_eq!(
            here.link(&[("rejects", Some("200"))], "rejects"),
            "/imports/7?execution=7%2Dm&events=a%26b%3D&rejects=200#rejects"
        );
        assert_eq!(here.link(&[("execution", None), ("rejects", None), ("events", None)], ""), "/imports/7");
        assert_eq!(address("rejects=&order=%FF").link(&[], ""), "/imports/7");
    }
}
