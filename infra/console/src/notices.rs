//! What came of a form, told on the page that follows it. The address of that page names the notice by a number that
//! cannot be guessed; its text stays here, so that nobody can write a notice by sending a link.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use axum::response::{IntoResponse as _, Redirect, Response};
use maud::{Markup, html};
use uuid::Uuid;

use crate::layout;

/// As many notices are remembered.
const KEPT: usize = 100;

/// Whether what was asked for was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoticeKind {
    Done,
    Failed,
}

#[derive(Clone)]
struct Notice {
    id: Uuid,
    kind: NoticeKind,
    /// The first is the sentence, the others are details.
    lines: Vec<String>,
}

/// The notices of late.
#[derive(Default)]
pub(crate) struct Notices(Mutex<VecDeque<Notice>>);

impl Notices {
    /// Leads to a page of the console, which tells what came of it. `page` may have a query.
    pub(crate) fn redirect(&self, page: &str, kind: NoticeKind, lines: Vec<String>) -> Response {
        let id = Uuid::new_v4();
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.push_back(Notice { id, kind, lines });
        if kept.len() > KEPT {
            kept.pop_front();
        }
        let joint = if page.contains('?') { '&' } else { '?' };
        Redirect::to(&format!("{page}{joint}notice={id}")).into_response()
    }

    /// The notice that the address names (`?notice=…`); nothing where it names none, or one of long ago.
    pub(crate) fn show(&self, id: Option<&str>) -> Markup {
        let id = id.and_then(|id| id.parse::<Uuid>().ok());
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let notice = id.and_then(|id| kept.iter().find(|notice| notice.id == id).cloned());
        drop(kept);
        html! {
            @if let Some(notice) = notice {
                section.notice.good[notice.kind == NoticeKind::Done].bad[notice.kind == NoticeKind::Failed]
                    role="status" tabindex="-1" {
                    @for (index, line) in notice.lines.iter().enumerate() {
                        p.detail[index > 0] { (layout::text(line)) }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notice_is_shown_by_the_page_that_follows_and_text_in_it_is_text() {
        let notices = Notices::default();
        let answer = notices.redirect("/a?b=c", NoticeKind::Failed, vec!["<script>".to_owned()]);
        let location = answer.headers()["location"].to_str().unwrap();
        let id = location.strip_prefix("/a?b=c&notice=").unwrap();
        let shown = notices.show(Some(id)).into_string();
        assert!(shown.contains("&lt;script&gt;") && shown.contains("bad"), "{shown}");
        assert_eq!(notices.show(Some("another")).into_string(), "");
        for _ in 0..KEPT {
            let _ = notices.redirect("/", NoticeKind::Done, Vec::new());
        }
        assert_eq!(notices.show(Some(id)).into_string(), "", "of long ago");
    }
}
