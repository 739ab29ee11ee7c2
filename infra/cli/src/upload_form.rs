//! The form of an upload, filled with the options of `baton run` and read by the parser of the command line: the page takes what `baton run` takes, and refuses it in the
//! same words.

use std::iter::once;

use clap::error::ContextKind;
use clap::{Arg, ArgAction, Command, CommandFactory as _, Parser};
use web_console::{Fields, FormChoice, FormOption, Problem, Takes, UploadForm, Wanted};

use crate::arguments::FileArguments;

/// The arguments of `baton run` without its name.
#[derive(Parser)]
#[command(no_binary_name = true, disable_help_flag = true)]
struct Line {
    #[command(flatten)]
    file: FileArguments,
}

/// The form of an upload.
pub(crate) fn form() -> UploadForm {
    UploadForm { options: all().iter().map(as_form_option).collect(), read }
}

fn as_form_option(argument: &Arg) -> FormOption {
    let name = argument.get_id().as_str();
    let is_flag = matches!(argument.get_action(), ArgAction::SetTrue);
    let defaults = argument.get_default_values().iter().filter(|_| !is_flag);
    let examples = argument.get_value_names().into_iter().flatten();
    let choices = argument.get_possible_values().into_iter().filter(|_| !is_flag);
    FormOption {
        name: name.to_owned(),
        long: argument.get_long().unwrap_or(name).to_owned(),
        help: argument.get_help().map(ToString::to_string).unwrap_or_default(),
        group: argument.get_help_heading().map(str::to_owned),
        takes: match argument {
            _ if is_flag => Takes::Nothing,
            list if is_list(list) => Takes::Lines,
            _ => Takes::Value,
        },
        default: defaults.filter_map(|value| value.to_str()).collect::<Vec<_>>().join(","),
        example: examples.map(|name| name.as_str()).collect::<Vec<_>>().join(" "),
        choices: choices
            .map(|choice| FormChoice {
                name: choice.get_name().to_owned(),
                help: choice.get_help().map(ToString::to_string),
            })
            .collect(),
        is_required: argument.is_required_set(),
        is_as_typed: AS_TYPED.contains(&name),
    }
}

/// The options that the page has, in the order of `--help`. The file has a place of its own, the id is made, and a dry run
/// is a button.
fn all() -> Vec<Arg> {
    let command: Command = Line::command();
    let has_field = |argument: &&Arg| {
        argument.get_long().is_some() && !matches!(argument.get_id().as_str(), "id" | "dry_run" | "version")
    };
    command.get_arguments().filter(has_field).cloned().collect()
}

/// Whether an option may be given more than once.
fn is_list(argument: &Arg) -> bool {
    matches!(argument.get_action(), ArgAction::Append) && argument.get_value_delimiter().is_none()
}

/// Reads the fields.
fn read(fields: &Fields) -> Result<Wanted, Vec<Problem>> {
    let Some(table) = fields.get("table") else {
        return Err(vec![Problem::of("table", "Name the table that the rows go to.")]);
    };
    let arguments: Vec<_> = all().into_iter().map(|argument| (words(&argument, fields), argument)).collect();
    // One by one, so that all that is wrong is said at once, and at its place.
    let wrong = |words: &Vec<String>, argument: &Arg| {
        let alone = once("file".to_owned()).chain(once("--table=t".to_owned())).chain(words.iter().cloned());
        let is_table = argument.get_id() == "table";
        Line::try_parse_from(alone)
            .err()
            .filter(|_| !is_table)
            .map(|error| Problem::of(argument.get_id().as_str(), said(&error)))
    };
    let problems: Vec<_> = arguments.iter().filter_map(|(words, argument)| wrong(words, argument)).collect();
    if !problems.is_empty() {
        return Err(problems);
    }
    let line = once("file".to_owned()).chain(arguments.into_iter().flat_map(|(words, _)| words));
    let line = Line::try_parse_from(line).map_err(|error| vec![Problem::general(said(&error))])?;
    let options = line.file.options().map_err(|usage| vec![Problem::general(usage.0)])?;
    Ok(Wanted { table: table.to_owned(), create_table: line.file.create_table, options })
}

/// Options whose value is what was typed, blanks and all.
const AS_TYPED: [&str; 2] = ["null", "delimiter"];

/// An option as words of a command line; none where its field is empty, which means its default.
fn words(argument: &Arg, fields: &Fields) -> Vec<String> {
    let name = argument.get_id().as_str();
    let long = argument.get_long().unwrap_or(name);
    if matches!(argument.get_action(), ArgAction::SetTrue) {
        return fields.get(name).map(|_| format!("--{long}")).into_iter().collect();
    }
    if AS_TYPED.contains(&name) {
        return fields.typed(name).map(|value| format!("--{long}={value}")).into_iter().collect();
    }
    // People write a blank behind a comma; a command line would take it for a part of the next name.
    let values = fields.all(name).flat_map(|value| match argument.get_value_delimiter() {
        Some(delimiter) => value.split(delimiter).collect(),
        None if is_list(argument) => value.lines().collect(),
        None => vec![value],
    });
    values.map(str::trim).filter(|value| !value.is_empty()).map(|value| format!("--{long}={value}")).collect()
}

/// What clap has to say, without the talk of a command line around it.
fn said(error: &clap::Error) -> String {
    if let Some(source) = std::error::Error::source(error) {
        return source.to_string();
    }
    let value = error.get(ContextKind::InvalidValue).map(ToString::to_string);
    let text = error.to_string();
    let first = text.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned();
    value.map_or(first, |value| format!("{value:?} is none of its values"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use statemachine::ImportOptions;

    use super::*;

    fn fields(pairs: &[(&str, &str)]) -> Fields {
        let mut fields = Fields::default();
        pairs.iter().for_each(|(name, value)| fields.push(name, (*value).to_owned()));
        fields
    }

    #[test]
    fn a_text_that_means_null_keeps_its_blanks() {
        for (typed, null) in [(" NA ", Some(" NA ")), (" ", Some(" ")), ("NA", Some("NA")), ("", None)] {
            let wanted = read(&fields(&[("table", "people"), ("null", typed)])).unwrap();
            assert_eq!(wanted.options.null.as_deref(), null, "{typed:?}");
        }
        let wanted = read(&fields(&[("table", "people"), ("limit", " 5 ")])).unwrap();
        assert_eq!(wanted.options.limit, Some(5), "blanks around a number mean nothing");
    }

    #[test]
    fn the_form_has_every_option_of_a_file_but_those_that_it_asks_otherwise() {
        let names: Vec<_> = all().iter().map(|argument| argument.get_id().to_string()).collect();
        let options = serde_json::to_value(ImportOptions {
            ignore_unknown: true,
            once: true,
            no_header: true,
            ..ImportOptions::default()
        });
        for name in options.unwrap().as_object().unwrap().keys() {
            assert!(names.contains(name), "{name} is missing in {names:?}");
        }
        assert!(names.starts_with(&["table".to_owned(), "create_table".to_owned()]), "{names:?}");
        assert!(
            !names.iter().any(|name| ["id", "dry_run", "file", "help"].contains(&name.as_str())),
            "{names:?}"
        );
    }

    #[test]
    fn options_come_back_from_the_form_as_they_went_into_it() {
        let json = r#"{"max_rejects":"0.5%","ignore_unknown":true,"encoding":"cp932","delimiter":"tab","escape":"\\",
            "map":{"E=Mail":"email","氏名":"name"},"null":"\\N","empty":"text","date_format":"%d.%m.%Y","on_conflict":"update",
            "key":["id","name"],"limit":10,"max_record_bytes":1048576,"once":true}"#;
        let options: ImportOptions = serde_json::from_str(json).unwrap();
        let fields = Fields::of_options("people", &serde_json::to_value(&options).unwrap());
        let wanted = read(&fields).unwrap_or_else(|problems| panic!("{problems:?}"));
        assert_eq!(wanted.options, options);
    }

    #[test]
    fn the_page_has_the_words_and_the_groups_of_the_help() {
        let form = form();
        let option = |name: &str| form.options.iter().find(|option| option.name == name).unwrap();
        let groups: BTreeSet<_> = form.options.iter().filter_map(|option| option.group.as_deref()).collect();
        assert_eq!(groups.len(), 4, "{groups:?}");
        let conflict = option("on_conflict");
        assert_eq!((conflict.long.as_str(), conflict.default.as_str()), ("on-conflict", "error"));
        assert_eq!(conflict.choices[0].help.as_deref(), Some("It is a reject"));
        assert_eq!(conflict.group.as_deref(), Some("What becomes of bad rows"));
        let empty = option("empty");
        assert!(empty.default.is_empty() && empty.choices.iter().any(|choice| choice.name == "quoted"));
        assert_eq!((option("map").takes, option("key").takes), (Takes::Lines, Takes::Value));
        let once = option("once");
        assert!(once.takes == Takes::Nothing && once.default.is_empty() && once.choices.is_empty());
        assert_eq!(
            (option("max_rejects").default.as_str(), option("max_rejects").example.as_str()),
            ("0", "N|N%")
        );
        assert!(option("table").is_required && option("null").is_as_typed);
    }

    #[test]
    fn a_form_is_read_as_a_command_line_is() {
        let wanted = read(&fields(&[
            ("table", "people"),
            ("create_table", "on"),
            ("max_rejects", "1%"),
            ("encoding", ""),
            ("delimiter", "tab"),
            ("map", "氏名=name\r\n  E-Mail=email \r\n"),
            ("key", "id, name"),
            ("on_conflict", "update"),
            ("null", "--"),
        ]));
        let wanted = wanted.unwrap_or_else(|problems| panic!("{problems:?}"));
        assert_eq!((wanted.table.as_str(), wanted.create_table), ("people", true));
        let json = serde_json::to_value(&wanted.options).unwrap();
        let expected = serde_json::json!({
            "max_rejects": "1%", "delimiter": "tab", "map": {"E-Mail": "email", "氏名": "name"}, "null": "--",
            "on_conflict": "update", "key": ["id", "name"],
        });
        assert_eq!(json, expected);
    }

    #[test]
    fn all_that_is_wrong_is_said_at_its_place() {
        let problems =
            read(&fields(&[("table", "people"), ("encoding", "klingon"), ("limit", "0"), ("map", "a")]));
        let problems = problems.err().unwrap();
        let said = |field: &str| {
            problems.iter().find(|problem| problem.is_of(field)).map(|problem| problem.says()).unwrap()
        };
        assert!(said("encoding").contains("an encoding is one of utf-8"), "{problems:?}");
        assert!(said("limit").contains("a whole number from 1"), "{problems:?}");
        assert!(said("map").contains("a mapping is"), "{problems:?}");
        let both = read(&fields(&[("table", "people"), ("key", "id")])).err().unwrap();
        assert!(both[0].says().contains("give both"), "{both:?}");
        assert!(read(&fields(&[("table", " ")])).err().unwrap()[0].is_of("table"));
    }
}
