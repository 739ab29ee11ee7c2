//! The form: the file, the table, and the options in the groups of `baton run --help`, each with its sentence from there.

use maud::{Markup, html};
use ops::submit;

use super::object;
use crate::fields::Fields;
use crate::files;
use crate::layout::{icon, text};
use crate::options::{FormOption, Problem, Takes};

/// The group that stands open, since people look for it first.
const OPEN: &str = "What becomes of bad rows";

/// The form with what was sent before, and what is wrong with it.
pub(super) fn render(
    options: &[FormOption],
    csrf: &str,
    fields: &Fields,
    tables: &[String],
    problems: &[Problem],
) -> Markup {
    let form = Form { fields, tables, problems };
    let (first, others): (Vec<_>, Vec<_>) = options.iter().partition(|option| option.group.is_none());
    let mut groups: Vec<(&str, Vec<&FormOption>)> = Vec::new();
    for option in others {
        let heading = option.group.as_deref().unwrap_or_default();
        match groups.last_mut() {
            Some((last, group)) if *last == heading => group.push(option),
            _ => groups.push((heading, vec![option])),
        }
    }
    groups.sort_by_key(|(heading, _)| *heading != OPEN);
    html! {
        h1 { "Upload" }
        @if !problems.is_empty() {
            section.notice.bad role="alert" {
                p { strong { "Nothing was imported." } " What is wrong:" }
                ul { @for problem in problems { li { (text(problem.says())) } } }
            }
        }
        form #upload method="post" action={ "/upload?csrf=" (csrf) } enctype="multipart/form-data"
            data-most=(submit::MAX_PUT_BYTES) {
            section.panel {
                (form.file())
                div.fields { @for option in first { (form.field(option)) } }
            }
            @for (heading, group) in groups {
                details.panel.group open[heading == OPEN || form.is_used(&group)] {
                    summary { h2 { (heading) } }
                    div.fields { @for option in group { (form.field(option)) } }
                }
            }
            datalist #tables { @for table in tables { option value=(table); } }
            div.actions {
                button.primary type="submit" name="do" value="check" { "Check first" }
                button type="submit" name="do" value="import" { "Import now" }
                p.quiet { "A check reads the whole file, or as many rows as the limit says, tells what would be rejected, and writes nothing." }
            }
            div #sending .panel hidden {
                div.progress { progress aria-label="Upload" max="1" value="0" {} span role="status" {} }
                div.actions { button type="button" { "Stop" } }
            }
        }
        script src=(files::address("upload.js")) defer {}
    }
}

struct Form<'a> {
    fields: &'a Fields,
    tables: &'a [String],
    problems: &'a [Problem],
}

impl Form<'_> {
    fn file(&self) -> Markup {
        let most = submit::MAX_PUT_BYTES >> 30;
        html! {
            div.drop {
                label for="file" { (icon("upload")) span { "Drop a CSV file here, or choose one" } }
                input #file type="file" name="file" accept=".csv,.tsv,.txt,.gz,.zst,text/csv"
                    aria-describedby="file-hint" required[self.fields.get("object").is_none()];
                p.hint #file-hint { "As it is or compressed by gzip or zstd, up to " (most) " GiB." }
                @if let Some(key) = self.fields.get("object") {
                    input type="hidden" name="object" value=(key);
                    p.kept { (icon("tick")) " " strong { (text(object::name_of(key))) }
                        " is here already; choose another to take its place." }
                }
                (self.problem("file"))
            }
        }
    }

    /// Whether a group has anything that differs from its default, or is wrong.
    fn is_used(&self, group: &[&FormOption]) -> bool {
        group.iter().any(|option| {
            let value = self.value(option).filter(|value| *value != option.default);
            value.is_some() || self.problems.iter().any(|problem| problem.is_of(&option.name))
        })
    }

    fn value(&self, option: &FormOption) -> Option<&str> {
        let name = &option.name;
        if option.is_as_typed { self.fields.typed(name) } else { self.fields.get(name) }
    }

    fn field(&self, option: &FormOption) -> Markup {
        let FormOption { name, long, help, .. } = option;
        let hint = format!("{name}-hint");
        let label = html! { label for=(name) { (label_of(long)) " " code { "--" (long) } } };
        let is_tick = option.takes == Takes::Nothing;
        html! {
            div.field.tick[is_tick] {
                @if is_tick {
                    input id=(name) type="checkbox" name=(name) checked[self.fields.get(name).is_some()]
                        aria-describedby=(hint);
                    (label)
                } @else {
                    (label)
                    (self.control(option, &hint))
                }
                p.hint id=(hint) { (help) }
                (self.problem(name))
            }
        }
    }

    fn control(&self, option: &FormOption, hint: &str) -> Markup {
        let FormOption { name, example, choices, .. } = option;
        let value = self.value(option).unwrap_or(&option.default);
        html! {
            @if !choices.is_empty() {
                select id=(name) name=(name) aria-describedby=(hint) {
                    // What is not chosen stays unsaid: the default may depend on other options.
                    @if option.default.is_empty() { option value="" { "the default" } }
                    @for choice in choices {
                        option value=(choice.name) selected[choice.name == value] {
                            (choice.name) @if let Some(help) = &choice.help { " – " (help) }
                        }
                    }
                }
            } @else if option.takes == Takes::Lines {
                textarea id=(name) name=(name) rows="2" placeholder=(example) aria-describedby=(hint) { (value) }
            } @else {
                input id=(name) type="text" name=(name) value=(value) placeholder=(example) aria-describedby=(hint)
                    autocomplete="off" spellcheck="false" required[option.is_required]
                    list=[(*name == "table" && !self.tables.is_empty()).then_some("tables")];
            }
        }
    }

    fn problem(&self, field: &str) -> Markup {
        html! {
            @for problem in self.problems.iter().filter(|problem| problem.is_of(field)) {
                p.problem { (icon("cross")) " " (text(problem.says())) }
            }
        }
    }
}

/// `max-rejects` as people write it.
fn label_of(long: &str) -> String {
    let words = long.replace('-', " ");
    let mut letters = words.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::FormChoice;

    /// An option in a group, which takes a value.
    fn option(
        name: &str,
        group: Option<&str>,
        default: &str,
        choices: &[(&str, Option<&str>)],
    ) -> FormOption {
        let choice = |(name, help): &(&str, Option<&str>)| FormChoice {
            name: (*name).to_owned(),
            help: help.map(str::to_owned),
        };
        FormOption {
            name: name.to_owned(),
            long: name.replace('_', "-"),
            help: String::new(),
            group: group.map(str::to_owned),
            takes: Takes::Value,
            default: default.to_owned(),
            example: String::new(),
            choices: choices.iter().map(choice).collect(),
            is_required: false,
            is_as_typed: false,
        }
    }

    fn options() -> Vec<FormOption> {
        let writing = Some("How the file is written");
        vec![
            option("table", None, "", &[]),
            option("encoding", writing, "", &[]),
            option("empty", writing, "", &[("quoted", None)]),
            option("map", Some("Which columns"), "", &[]),
            option("max_rejects", Some(OPEN), "0", &[]),
            option("on_conflict", Some(OPEN), "error", &[("error", Some("It is a reject"))]),
            option("limit", Some("How it is loaded"), "", &[]),
        ]
    }

    fn render_with(fields: &[(&str, &str)], problems: &[Problem]) -> String {
        let mut sent = Fields::default();
        fields.iter().for_each(|(name, value)| sent.push(name, (*value).to_owned()));
        let tables = ["people".to_owned(), "<b>".to_owned()];
        render(&options(), "secret", &sent, &tables, problems).into_string()
    }

    #[test]
    fn common_options_are_open_and_the_rest_is_folded_until_it_is_used() {
        let page = render_with(&[], &[]);
        assert_eq!((page.matches("<details").count(), page.matches("open>").count()), (4, 1), "{page}");
        assert!(page.contains("list=\"tables\"") && page.contains("<option value=\"&lt;b&gt;\">"), "{page}");
        assert!(page.contains("name=\"max_rejects\" value=\"0\""), "{page}");
        assert!(page.contains("error – It is a reject"), "{page}");
        let empty = page.split("name=\"empty\"").nth(1).unwrap();
        assert!(
            empty.split("</select>").next().unwrap().contains("<option value=\"\">the default"),
            "{empty}"
        );
        assert!(!page.contains("<option value=\"quoted\" selected"), "{page}");
        let used = render_with(&[("encoding", "cp932")], &[Problem::of("limit", "a \u{202e}<i>")]);
        assert_eq!(used.matches("open>").count(), 3, "{used}");
        assert!(used.contains("a \\u{202e}&lt;i&gt;") && used.contains("value=\"cp932\""), "{used}");
    }

    #[test]
    fn a_file_that_is_there_need_not_be_chosen_again() {
        assert!(render_with(&[], &[]).contains("aria-describedby=\"file-hint\" required"));
        let page = render_with(&[("object", "uploads/upload-1/顧客.csv")], &[]);
        assert!(
            page.contains("<strong>顧客.csv</strong>") && !page.contains("\"file-hint\" required"),
            "{page}"
        );
    }
}
