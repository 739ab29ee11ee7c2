//! What all pages look like, and the parts that they are made of. Classes are those of `static/console.css`.

mod parts;
mod progress;
mod time;

use maud::{DOCTYPE, Markup, Render, html};
use ops::text::visible_lines;

use crate::files;
pub(super) use parts::{Column, Confirmation, empty, icon, import_link, live, progress, status, table, why};
pub(super) use progress::import_progress;
pub(super) use time::{ago, exact, since};

/// The part of the console that a page belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Nav {
    Overview,
    Imports,
    Upload,
    DeadLetters,
    None,
}

const PLACES: [(Nav, &str, &str); 4] = [
    (Nav::Overview, "/", "Overview"),
    (Nav::Imports, "/imports", "Imports"),
    (Nav::Upload, "/upload", "Upload"),
    (Nav::DeadLetters, "/dead-letters", "Dead letters"),
];

/// What stands at the foot of each page.
pub(super) struct Foot {
    /// What the console shows, as a person calls it.
    pub(super) shows: String,
    /// The command line that starts a stack, where none is up.
    pub(super) up: Option<String>,
}

/// A page of the console.
pub(super) fn page(foot: &Foot, title: &str, nav: Nav, body: impl Render) -> Markup {
    let top = html! {
        nav aria-label="Console" {
            @for (place, address, name) in PLACES {
                a href=(address) aria-current=[(place == nav).then_some("page")] { (name) }
            }
        }
    };
    let foot = html! {
        @if let Some(up) = &foot.up {
            span.looks { (icon("pause")) "No stack is up, so nothing moves: end this console and start " code { (text(up)) } ", which has one too" }
        }
        span { (foot.shows) }
        span { "Baton " (env!("CARGO_PKG_VERSION")) }
    };
    document(title, &top, body, &foot)
}

/// A page for whoever is not let in, or for what belongs to no place.
pub(super) fn bare(title: &str, body: &Markup) -> Markup {
    document(title, &html! {}, body, &html! {})
}

fn document(title: &str, top: &Markup, body: impl Render, foot: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) " · Baton" }
                link rel="icon" href=(files::address("icon.svg")) type="image/svg+xml";
                link rel="stylesheet" href=(files::address("console.css"));
                script src=(files::address("console.js")) defer {}
            }
            body {
                a.skip href="#main" { "To the content" }
                header.top {
                    a.brand href="/" { (icon("baton")) "Baton" }
                    (top)
                }
                p.stale #stale role="status" hidden { "The console does not answer; what you see may be old." }
                main #main tabindex="-1" { (body) }
                footer.foot { (foot) }
            }
        }
    }
}

/// Text of files, messages and people, line by line, with what cannot be seen (marks of direction, control characters)
/// shown as escapes.
pub(super) fn text(text: &str) -> String {
    visible_lines(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_a_file_is_text_on_a_page() {
        let cell = "<script>alert(1)</script>\" onload='x' \u{202e}txt.exe\u{0}";
        let shown = html! { td title=(text(cell)) { (text(cell)) } }.into_string();
        assert!(
            !shown.contains("<script>") && !shown.contains('\u{202e}') && !shown.contains('\u{0}'),
            "{shown}"
        );
        assert_eq!(shown.matches('"').count(), 2, "the attribute has not been left: {shown}");
        assert!(
            shown.contains("&lt;script&gt;alert(1)&lt;/script&gt;") && shown.contains("\\u{202e}txt.exe"),
            "{shown}"
        );
    }

    #[test]
    fn pages_ask_no_other_host_and_have_no_script_or_style_of_their_own() {
        let page = bare("Title", &html! { p { "Text" } }).into_string();
        assert!(
            !page.contains("http://") && !page.contains("https://") && !page.contains("href=\"//"),
            "{page}"
        );
        assert!(!page.contains("<style") && !page.contains("style=") && !page.contains("onclick"), "{page}");
        assert_eq!(page.matches("<script").count(), 1);
        for file in [include_str!("static/console.css"), include_str!("static/console.js")] {
            assert!(!file.contains("//fonts") && !file.contains("https:") && !file.contains("@import"));
        }
    }
}
