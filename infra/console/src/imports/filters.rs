//! What the list is filtered by: read from the address, shown in the form, written into addresses.

use maud::{Markup, html};
use ops::moment::Moment;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use worker::ledger::{JobStatus, Search};

use super::ADDRESS;
use crate::fields::Fields;
use crate::layout;

/// The imports of a page.
const LIMIT: u32 = 50;

const STATUSES: [JobStatus; 4] =
    [JobStatus::Pending, JobStatus::Running, JobStatus::Success, JobStatus::Failure];

/// The fields, in the order of the form.
const NAMES: [&str; 7] = ["text", "status", "table", "file", "error", "since", "until"];

/// The filters as they were given.
pub(super) struct Filters {
    given: Vec<(&'static str, String)>,
    is_first_page: bool,
    /// What is looked for; or what is wrong with what was given.
    pub(super) search: Result<Search, String>,
}

impl Filters {
    pub(super) fn read(asked: &Fields) -> Self {
        let given = NAMES.into_iter().filter_map(|name| Some((name, asked.get(name)?.to_owned()))).collect();
        let after = asked.get("after");
        Self { given, is_first_page: after.is_none(), search: search(asked) }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.given.is_empty()
    }

    pub(super) fn is_first_page(&self) -> bool {
        self.is_first_page
    }

    /// The address of the list with these filters, and this besides.
    pub(super) fn address(&self, besides: &[(&str, &str)]) -> String {
        let given = self.given.iter().map(|(name, value)| (*name, value.as_str()));
        let pairs: Vec<_> = given
            .chain(besides.iter().copied())
            .map(|(name, value)| format!("{name}={}", utf8_percent_encode(value, NON_ALPHANUMERIC)))
            .collect();
        if pairs.is_empty() { ADDRESS.to_owned() } else { format!("{ADDRESS}?{}", pairs.join("&")) }
    }

    fn value(&self, name: &str) -> Option<&str> {
        self.given.iter().find(|(given, _)| *given == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn form(&self) -> Markup {
        let more = ["table", "file", "error", "since", "until"];
        let is_open = more.iter().any(|name| self.value(name).is_some());
        html! {
            form.filters method="get" action=(ADDRESS) role="search" {
                div.search {
                    label.hidden for="text" { "Search" }
                    input #text type="search" name="text" value=[self.value("text")]
                        placeholder="Id, file, table, error or cause";
                }
                div {
                    label.hidden for="status" { "Status" }
                    select #status name="status" {
                        option value="" { "Any status" }
                        @for status in STATUSES {
                            option value=(status.as_str()) selected[self.value("status") == Some(status.as_str())] {
                                (status.as_str().to_lowercase())
                            }
                        }
                    }
                }
                button type="submit" { (layout::icon("search")) "Search" }
                @if !self.is_empty() { a.button href=(ADDRESS) { "Show all" } }
                details open[is_open] {
                    summary { "More filters" }
                    div.more {
                        (self.field("table", "Table", "as it is called in the database"))
                        (self.field("file", "File", "a part of its name"))
                        (self.field("error", "Error", "such as Import.TableMissing"))
                        (self.field("since", "Created since", "2h, 3d or 2026-11-24T09:30:00Z"))
                        (self.field("until", "Created before", "2h, 3d or 2026-11-24T09:30:00Z"))
                    }
                }
            }
        }
    }

    fn field(&self, name: &str, label: &str, hint: &str) -> Markup {
        html! {
            div {
                label for=(name) { (label) }
                input id=(name) type="text" name=(name) value=[self.value(name)] placeholder=(hint)
                    title=(hint) autocomplete="off";
            }
        }
    }
}

fn search(asked: &Fields) -> Result<Search, String> {
    let text = |name: &str| asked.get(name).map(str::to_owned);
    let moment = |name: &str| {
        let given = asked.get(name).map(str::parse::<Moment>).transpose();
        given.map(|moment| moment.map(|moment| moment.0.naive_utc()))
    };
    let status = asked.get("status").map(|given| {
        let known = STATUSES.into_iter().find(|status| status.as_str().eq_ignore_ascii_case(given));
        known.ok_or_else(|| format!("{given:?} is no status: PENDING, RUNNING, SUCCESS or FAILURE"))
    });
    Ok(Search {
        kind: None,
        status: status.transpose()?,
        subject: text("table"),
        file: text("file"),
        error: text("error"),
        since: moment("since")?,
        until: moment("until")?,
        text: text("text"),
        limit: LIMIT,
        after: asked
            .get("after")
            .map(str::parse)
            .transpose()
            .map_err(|_| "this page of the list is not known".to_owned())?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str) -> Filters {
        Filters::read(&Fields::parse(query.as_bytes()).unwrap())
    }

    #[test]
    fn what_is_looked_for_stands_in_the_address_and_in_the_form() {
        let filters =
            read("text=%E5%B1%B1%E7%94%B0&status=failure&table=&since=2026-11-24T09%3A30%3A00Z&other=1");
        let search = filters.search.as_ref().unwrap();
        assert_eq!(search.text.as_deref(), Some("山田"));
        assert_eq!((search.status, &search.subject), (Some(JobStatus::Failure), &None));
        assert_eq!(search.since.unwrap().to_string(), "2026-11-24 09:30:00");
        let address = filters.address(&[("after", "1.a b")]);
        assert!(address.starts_with("/imports?text=%E5%B1%B1%E7%94%B0&status=failure&since="), "{address}");
        assert!(address.ends_with("&after=1%2Ea%20b"), "{address}");
        assert!(filters.form().into_string().contains("value=\"山田\""));
        assert_eq!(read("").address(&[]), "/imports");
    }

    #[test]
    fn a_filter_that_makes_no_sense_is_said_and_stays_in_the_form() {
        for (query, words) in
            [("status=lost", "is no status"), ("since=soon", "is no moment"), ("after=x", "not known")]
        {
            let filters = read(query);
            assert!(filters.search.as_ref().unwrap_err().contains(words), "{query}");
        }
        assert!(read("since=soon").form().into_string().contains("value=\"soon\""));
    }

    #[test]
    fn a_filter_cannot_leave_its_attribute() {
        let form = read("text=%22%3E%3Cscript%3Ealert(1)%3C/script%3E").form().into_string();
        assert!(!form.contains("<script>"), "{form}");
    }
}
