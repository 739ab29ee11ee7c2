//! The form: the file, the table, and the options in the groups of `baton run --help`, each with its sentence from there.

use clap::{Arg, ArgAction};
use maud::{Markup, html};

use super::arguments::{self, AS_TYPED};
use super::object;
use crate::console::fields::Fields;
use crate::console::files;
use crate::console::layout::{icon, text};
use crate::submit;

/// The group that stands open, since people look for it first.
const OPEN: &str = "What becomes of bad rows";

/// What is wrong with the form, and with which of its fields.
#[derive(Clone, Debug)]
pub(super) struct Problem {
    field: Option<String>,
    says: String,
}

impl Problem {
    pub(super) fn of(field: &str, says: impl Into<String>) -> Self {
        Self { field: Some(field.to_owned()), says: says.into() }
    }

    pub(super) fn general(says: impl Into<String>) -> Self {
        Self { field: None, says: says.into() }
    }

    pub(super) fn is_of(&self, field: &str) -> bool {
        self.field.as_deref() == Some(field)
    }

    #[cfg(test)]
    pub(super) fn says(&self) -> &str {
        &self.says
    }
}

/// The form with what was sent before, and what is wrong with it.
pub(super) fn render(csrf: &str, fields: &Fields, tables: &[String], problems: &[Problem]) -> Markup {
    let form = Form { fields, tables, problems };
    let options = arguments::all();
    let (first, others): (Vec<_>, Vec<_>) =
        options.iter().partition(|option| option.get_help_heading().is_none());
    let mut groups: Vec<(&str, Vec<&Arg>)> = Vec::new();
    for option in others {
        let heading = option.get_help_heading().unwrap_or_default();
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
                ul { @for problem in problems { li { (text(&problem.says)) } } }
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
                p.quiet { "A check reads the whole file, tells what would be rejected, and writes nothing." }
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
    fn is_used(&self, group: &[&Arg]) -> bool {
        group.iter().any(|option| {
            let name = option.get_id().as_str();
            let value = self.value(name).filter(|value| *value != default_of(option));
            value.is_some() || self.problems.iter().any(|problem| problem.is_of(name))
        })
    }

    fn value(&self, name: &str) -> Option<&str> {
        if AS_TYPED.contains(&name) { self.fields.typed(name) } else { self.fields.get(name) }
    }

    fn field(&self, option: &Arg) -> Markup {
        let name = option.get_id().as_str();
        let long = option.get_long().unwrap_or(name);
        let help = option.get_help().map(ToString::to_string).unwrap_or_default();
        let hint = format!("{name}-hint");
        let label = html! { label for=(name) { (label_of(long)) " " code { "--" (long) } } };
        let is_tick = matches!(option.get_action(), ArgAction::SetTrue);
        html! {
            div.field.tick[is_tick] {
                @if is_tick {
                    input id=(name) type="checkbox" name=(name) checked[self.fields.get(name).is_some()]
                        aria-describedby=(hint);
                    (label)
                } @else {
                    (label)
                    (self.control(option, name, &hint))
                }
                p.hint id=(hint) { (help) }
                (self.problem(name))
            }
        }
    }

    fn control(&self, option: &Arg, name: &str, hint: &str) -> Markup {
        let value = self.value(name).map(str::to_owned).unwrap_or_else(|| default_of(option));
        let example = option
            .get_value_names()
            .into_iter()
            .flatten()
            .map(|name| name.as_str())
            .collect::<Vec<_>>()
            .join(" ");
        let choices = option.get_possible_values();
        html! {
            @if !choices.is_empty() {
                select id=(name) name=(name) aria-describedby=(hint) {
                    // What is not chosen stays unsaid: the default may depend on other options.
                    @if option.get_default_values().is_empty() { option value="" { "the default" } }
                    @for choice in choices {
                        option value=(choice.get_name()) selected[choice.get_name() == value] {
                            (choice.get_name()) @if let Some(help) = choice.get_help() { " – " (help) }
                        }
                    }
                }
            } @else if arguments::is_list(option) {
                textarea id=(name) name=(name) rows="2" placeholder=(example) aria-describedby=(hint) { (value) }
            } @else {
                input id=(name) type="text" name=(name) value=(value) placeholder=(example) aria-describedby=(hint)
                    autocomplete="off" spellcheck="false" required[option.is_required_set()]
                    list=[(name == "table" && !self.tables.is_empty()).then_some("tables")];
            }
        }
    }

    fn problem(&self, field: &str) -> Markup {
        html! {
            @for problem in self.problems.iter().filter(|problem| problem.is_of(field)) {
                p.problem { (icon("cross")) " " (text(&problem.says)) }
            }
        }
    }
}

fn default_of(option: &Arg) -> String {
    let defaults = option.get_default_values().iter().filter_map(|value| value.to_str());
    if matches!(option.get_action(), ArgAction::SetTrue) {
        String::new()
    } else {
        defaults.collect::<Vec<_>>().join(",")
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

    fn render_with(fields: &[(&str, &str)], problems: &[Problem]) -> String {
        let mut sent = Fields::default();
        fields.iter().for_each(|(name, value)| sent.push(name, (*value).to_owned()));
        let tables = ["people".to_owned(), "<b>".to_owned()];
        render("secret", &sent, &tables, problems).into_string()
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
