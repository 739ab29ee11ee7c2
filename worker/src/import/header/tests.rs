use super::*;

fn column(name: &str, kind: Option<Kind>, nullable: bool) -> Column {
    Column {
        name: name.to_owned(),
        type_name: "point".to_owned(),
        base_type: "point".to_owned(),
        kind,
        nullable,
        takes_null: nullable,
        has_default: false,
        generated: false,
        identity_always: false,
        takes_empty: false,
    }
}

fn text() -> Option<Kind> {
    Some(Kind::Text { max_characters: None })
}

fn table(columns: Vec<Column>) -> Table {
    Table {
        name: "people".to_owned(),
        sql: "\"people\"".to_owned(),
        server: None,
        oid: 0,
        primary_key: Vec::new(),
        columns,
    }
}

fn people() -> Table {
    table(vec![
        column("id", text(), false),
        column("email", text(), false),
        column("Name", text(), true),
        column("place", None, true),
    ])
}

type Planned = Result<Vec<(usize, String)>, String>;

fn columns_of(plan: Result<Plan, Failure>) -> Planned {
    match plan {
        Ok(plan) => Ok(plan.columns.into_iter().map(|column| (column.field, column.name)).collect()),
        Err(failure) => Err(failure.to_string()),
    }
}

fn planned_with(header: &[&str], table: &Table, options: &ImportOptions) -> Planned {
    let header: Vec<_> = header.iter().map(|&name| name.to_owned()).collect();
    columns_of(plan(&header, table, options))
}

fn planned(header: &[&str], ignore_unknown: bool) -> Planned {
    planned_with(header, &people(), &ImportOptions { ignore_unknown, ..ImportOptions::default() })
}

fn mapping(pairs: &[(&str, &str)]) -> ImportOptions {
    let map = pairs.iter().map(|(name, column)| ((*name).to_owned(), (*column).to_owned())).collect();
    ImportOptions { map, ..ImportOptions::default() }
}

fn expected<const N: usize>(columns: [(usize, &str); N]) -> Planned {
    Ok(columns.map(|(field, name)| (field, name.to_owned())).to_vec())
}

#[test]
fn names_may_stand_in_any_order_and_differ_in_width_case_and_white_space() {
    assert_eq!(
        planned(&[" EMAIL", "ｉｄ", "name "], false),
        expected([(0, "email"), (1, "id"), (2, "Name")])
    );
}

#[test]
fn of_columns_that_fold_alike_each_needs_its_exact_name() {
    let table = table(vec![column("Code", text(), true), column("code", text(), true)]);
    let options = ImportOptions::default();
    assert_eq!(planned_with(&["code", "Code"], &table, &options), expected([(0, "code"), (1, "Code")]));
    let refusal = planned_with(&["CODE"], &table, &options).unwrap_err();
    assert!(
        refusal.contains("unknown: \"CODE\", column 1 of the file; in the table, is it \"Code\""),
        "{refusal}"
    );
    assert_eq!(planned_with(&["X"], &table, &mapping(&[("x", "code")])), expected([(0, "code")]));
}

#[test]
fn everything_that_does_not_fit_is_told_at_once() {
    let refusal = planned(&["ID", "e-mail", "", "id"], false).unwrap_err();
    assert_eq!(
        refusal,
        "Import.HeaderMismatch: the file's columns are not those of the table \"people\":\n\
         missing: \"email\", which must have a value; in the file, is it \"e-mail\"?\n\
         unknown: \"e-mail\", column 2 of the file; in the table, is it \"email\"?\n\
         unknown: (no name), column 3 of the file\n\
         twice: \"id\", columns 1 and 4 of the file; rename one of them in the file, or take it out\n\
         (ignore_unknown leaves unknown columns out)"
    );
}

#[test]
fn unknown_columns_are_left_out_on_demand() {
    assert_eq!(planned(&["id", "x", "email"], true), expected([(0, "id"), (2, "email")]));
}

#[test]
fn columns_that_are_left_out_are_noted_with_the_reason() {
    let generated = Column { generated: true, ..column("total", text(), false) };
    let identity = Column { identity_always: true, has_default: true, ..column("id", text(), false) };
    let table = table(vec![identity, generated, column("a", text(), true)]);
    let noted = |header: &[&str], options: &ImportOptions| {
        let header: Vec<_> = header.iter().map(|&name| name.to_owned()).collect();
        plan(&header, &table, options).unwrap().notes
    };
    let ignore = ImportOptions { ignore_unknown: true, ..ImportOptions::default() };
    assert_eq!(
        noted(&["extra", "id", "", "a", "total"], &ignore),
        [
            "left out columns \"extra\", 3 (no name): the table has no column of these names",
            "left out column \"total\": the database computes it itself",
            "left out column \"id\": the database always numbers it itself",
        ]
    );
    assert_eq!(noted(&["a", "x"], &ignore), ["left out column \"x\": the table has no column of this name"]);
    assert!(noted(&["baton_line", "baton_reason", "a"], &ignore).is_empty());
    assert!(noted(&["a"], &ImportOptions::default()).is_empty());
    let many: Vec<_> = (0..30).map(|number| format!("x{number}")).chain(["a".to_owned()]).collect();
    let many = plan(&many, &table, &ignore).unwrap().notes;
    assert!(many[0].contains("\"x19\" and 10 more: the table has no column of these names"), "{many:?}");
}

#[test]
fn a_name_that_seems_to_be_several_is_answered_with_the_delimiter() {
    for (header, sign) in [
        (&["id;v"][..], "\";\""),
        (&["ID\temail"], "tab"),
        (&["id;name", "5;email"], "\";\""),
        (&["x|y"], "\"|\""),
        (&["\"id\":v"], "\":\""),
    ] {
        let refusal = planned(header, false).unwrap_err();
        let words =
            format!("; are the fields separated by {sign}? (the option delimiter names what separates them)");
        assert!(refusal.contains(&words) && !refusal.contains("is it"), "{refusal}");
    }
    let both = planned(&["id;email"], true).unwrap_err();
    assert!(both.contains("are the fields separated by \";\"?"), "{both}");
    let plain = planned(&["id", "e;mail"], false).unwrap_err();
    assert!(plain.contains("is it \"email\"?") && !plain.contains("separated"), "{plain}");
}

#[test]
fn two_columns_of_one_name_are_answered_with_what_mends_that() {
    let options = mapping(&[("mail", "email")]);
    let refusal = planned_with(&["id", "email", "mail"], &people(), &options).unwrap_err();
    let says = "twice: \"email\", columns 2 and 3 of the file; map \"mail\" to another column, or rename the other one in the file";
    assert!(refusal.contains(says), "{refusal}");
}

#[test]
fn a_mapping_names_the_column_that_a_header_means() {
    let options = mapping(&[("full name", "name"), ("メール", "email")]);
    assert_eq!(
        planned_with(&["id", "Ｆull  Name", "ﾒｰﾙ"], &people(), &options),
        expected([(0, "id"), (1, "Name"), (2, "email")])
    );
    // The exact name goes before one that is only alike.
    let options = mapping(&[("Name", "email")]);
    let header = ["id", "name", "Name"];
    assert_eq!(planned_with(&header, &people(), &options), expected([(0, "id"), (1, "Name"), (2, "email")]));
}

#[test]
fn a_mapping_that_means_nothing_is_told_with_near_names() {
    let options = mapping(&[("Mail", "emial"), ("nmae", "Name")]);
    assert_eq!(
        planned_with(&["id", "email", "mail", "name"], &people(), &options).unwrap_err(),
        "Import.HeaderMismatch: the file's columns are not those of the table \"people\":\n\
         mapped: \"Mail\" means \"emial\", which the table does not have; in the table, is it \"email\"?\n\
         mapped: \"nmae\", which the file does not have; in the file, is it \"name\"?"
    );
    let refusal =
        planned_with(&["id", "email", "mail"], &people(), &mapping(&[("mail", "email")])).unwrap_err();
    assert!(refusal.contains("twice: \"email\", columns 2 and 3 of the file"), "{refusal}");
    let refusal = planned_with(&["id", "MAIL"], &people(), &mapping(&[("mail", "email"), ("Mail", "Name")]));
    assert!(refusal.unwrap_err().contains("column 2 of the file, has two meanings"));
}

#[test]
fn the_two_columns_of_a_file_of_rejects_are_left_out_unless_the_table_has_them() {
    let header = ["baton_line", "Baton_Reason", "id", "email"];
    assert_eq!(planned(&header, false), expected([(2, "id"), (3, "email")]));
    let table = table(vec![column("baton_line", text(), true)]);
    assert_eq!(
        planned_with(&["baton_line", "baton_reason"], &table, &ImportOptions::default()),
        expected([(0, "baton_line")])
    );
}

#[test]
fn a_file_of_rejects_of_a_table_with_the_two_columns_leaves_out_its_own() {
    let columns = ["baton_line", "baton_reason", "v"].map(|name| column(name, text(), true));
    let table = table(columns.into());
    let planned = |header: &[&str]| planned_with(header, &table, &ImportOptions::default());
    let of_file = ["baton_line", "baton_reason", "v"];
    let from =
        |first: usize| expected([(first, "baton_line"), (first + 1, "baton_reason"), (first + 2, "v")]);
    assert_eq!(planned(&of_file), from(0));
    let pair = &["baton_line", "baton_reason"][..];
    assert_eq!(planned(&[pair, &of_file[..]].concat()), from(2));
    // The rejects of the rejects.
    assert_eq!(planned(&[pair, pair, &of_file[..]].concat()), from(4));
    assert_eq!(
        planned(&[pair, pair, &["v"], pair].concat()),
        expected([(4, "v"), (5, "baton_line"), (6, "baton_reason")])
    );
}

#[test]
fn a_file_of_rejects_of_a_table_with_one_of_the_two_columns_leaves_out_its_own() {
    let table = table(["baton_reason", "v"].map(|name| column(name, text(), true)).into());
    let planned = |header: &[&str]| planned_with(header, &table, &ImportOptions::default());
    let from = |first: usize| expected([(first, "baton_reason"), (first + 1, "v")]);
    assert_eq!(planned(&["baton_reason", "v"]), from(0));
    assert_eq!(planned(&["baton_line", "baton_reason", "v"]), from(1));
    assert_eq!(planned(&["baton_line", "baton_reason", "baton_reason", "v"]), from(2));
}

#[test]
fn what_the_database_fills_itself_is_not_to_be_given() {
    let generated = Column { generated: true, ..column("total", text(), false) };
    let identity = Column { identity_always: true, has_default: true, ..column("id", text(), false) };
    let table = table(vec![identity, generated, column("a", text(), true)]);
    assert_eq!(planned_with(&["a"], &table, &ImportOptions::default()), expected([(0, "a")]));
    assert_eq!(
        planned_with(&["id", "total", "a"], &table, &ImportOptions::default()).unwrap_err(),
        "Import.HeaderMismatch: the file's columns are not those of the table \"people\":\n\
         generated: \"total\", which the database computes itself\n\
         identity: \"id\", which the database always numbers itself"
    );
    let ignore = ImportOptions { ignore_unknown: true, ..ImportOptions::default() };
    assert_eq!(planned_with(&["id", "total", "a"], &table, &ignore), expected([(2, "a")]));
    let meant = ImportOptions { ignore_unknown: true, ..mapping(&[("number", "id")]) };
    assert!(planned_with(&["number", "a"], &table, &meant).unwrap_err().contains("identity: \"id\""));
    let first: [&[u8]; 1] = [b"x"];
    assert_eq!(
        columns_of(plan_without_header(first, &table, &ImportOptions::default())),
        expected([(0, "a")])
    );
}

#[test]
fn without_a_header_the_fields_are_the_tables_columns() {
    let table = table(vec![column("id", text(), false), column("email", text(), false)]);
    let planned = |first: &[&'static str], options: &ImportOptions| {
        columns_of(plan_without_header(first.iter().map(|field| field.as_bytes()), &table, options))
    };
    let options = ImportOptions { no_header: true, ..ImportOptions::default() };
    assert_eq!(planned(&["1", "a"], &options), expected([(0, "id"), (1, "email")]));
    let reason = "id: is no integer (not_an_integer)";
    assert_eq!(planned(&["17", reason, "1", "a"], &options), expected([(2, "id"), (3, "email")]));
    // Rejects of a file of rejects.
    assert_eq!(
        planned(&["3", reason, "17", reason, "1", "a"], &options),
        expected([(4, "id"), (5, "email")])
    );
    for first in [
        &["1"][..],
        &["1", "a", "b"],
        &["x", reason, "1", "a"],
        &["17", "is no integer", "1", "a"],
        &["17", "Ann (reader)", "1", "a"],
        &["3", "x", "17", reason, "1", "a"],
        &["1", "2", "3", "4", "5"],
        &["1", "a (reader)", "b"],
    ] {
        assert_eq!(
            planned(first, &options).unwrap_err(),
            format!(
                "Import.HeaderMismatch: the file's first row has {} {}, and without a header they must be the 2 \
                 columns of the table \"people\": \"id\", \"email\"",
                first.len(),
                if first.len() == 1 { "field" } else { "fields" }
            )
        );
    }
    assert!(planned(&["1", "a"], &mapping(&[("a", "id")])).unwrap_err().starts_with("Import.OptionsInvalid"));
}

#[test]
fn a_line_and_a_reason_of_a_file_of_rejects_are_never_taken_for_data() {
    let reason: &[u8] = b"has 2 fields, the first row has 4 (field_count)";
    let of = |columns: &[&str]| table(columns.iter().map(|name| column(name, text(), true)).collect());
    let planned = |first: &[&[u8]], columns: &[&str]| {
        let plan =
            plan_without_header(first.iter().copied(), &of(columns), &ImportOptions::default()).unwrap();
        let first = plan.columns.first().map(|column| column.field);
        (plan.fields, first, plan.said_by)
    };
    let rejects = |columns| SaidBy::Rejects { columns };
    // The table has two columns more than when the file was written; the first row is of too few fields, or was too large.
    assert_eq!(planned(&[b"2", reason, b"1", b"a"], &["id", "a", "b", "c"]), (6, Some(2), rejects(4)));
    assert_eq!(planned(&[b"2", reason, b"1", b"a"], &["id", "a", "b", "c", "d"]), (7, Some(2), rejects(5)));
    assert_eq!(planned(&[b"2", reason, b""], &["id", "a", "b"]), (5, Some(2), rejects(3)));
    // A table of lines and reasons: those of the file come before its own.
    let twice: [&[u8]; 5] = [b"2", reason, b"7", reason, b"x"];
    assert_eq!(planned(&twice, &["line", "reason", "who"]), (5, Some(2), rejects(3)));
    assert_eq!(planned(&twice, &["who"]), (5, Some(4), rejects(1)));
}

#[test]
fn a_format_of_dates_that_tells_no_day_is_refused_before_any_row_is_read() {
    let options = ImportOptions { date_format: Some("%H:%M".to_owned()), ..ImportOptions::default() };
    let refusal = planned_with(&["id", "email"], &people(), &options).unwrap_err();
    assert!(
        refusal.starts_with("Import.OptionsInvalid: the date format \"%H:%M\" does not tell a day"),
        "{refusal}"
    );
}

#[test]
fn a_type_that_cannot_be_imported_matters_only_where_the_file_fills_it() {
    assert!(planned(&["id", "email"], false).is_ok());
    let refusal = planned(&["id", "email", "place"], false).unwrap_err();
    assert!(refusal.starts_with("Import.ColumnUnsupported") && refusal.contains("\"place\" of type point"));
}

#[test]
fn of_very_many_problems_and_very_long_names_only_the_beginning_is_told() {
    let long = "x".repeat(500);
    let header: Vec<_> = (0..1600).map(|number| format!("{long}{number}")).collect();
    let refusal = plan(&header, &people(), &ImportOptions::default()).unwrap_err().to_string();
    assert!(refusal.contains("\nunknown: 1550 more\n") && refusal.len() < 20_000, "{}", refusal.len());
}

#[test]
fn white_space_beside_japanese_letters_does_not_matter_where_that_leaves_no_doubt() {
    let of = |columns: &[&str]| table(columns.iter().map(|name| column(name, text(), true)).collect());
    let one = of(&["id", "氏名", "zipcode"]);
    let plain = ImportOptions::default();
    let expected_of = expected([(0, "id"), (1, "氏名")]);
    for name in ["氏\u{3000}名", "氏 名", " 氏  名 "] {
        assert_eq!(planned_with(&["id", name], &one, &plain), expected_of, "{name}");
    }
    // A name that fits better comes first, and two of the file are not one column's.
    let ignoring = ImportOptions { ignore_unknown: true, ..ImportOptions::default() };
    assert_eq!(planned_with(&["氏 名", "氏名"], &one, &ignoring), expected([(1, "氏名")]));
    let refusal = planned_with(&["氏 名", "氏名"], &one, &plain).unwrap_err();
    assert!(refusal.contains("unknown: \"氏 名\", column 1 of the file"), "{refusal}");
    let refusal = planned_with(&["id", "メ イ", "メイ "], &of(&["id", "メ　イ", "メイ"]), &plain);
    assert_eq!(refusal, expected([(0, "id"), (1, "メ　イ"), (2, "メイ")]));
    let refusal =
        planned_with(&["id", "電 話番 号", "電話 番号"], &of(&["id", "電話番号"]), &plain).unwrap_err();
    assert!(refusal.contains("column 2 of the file; in the table, is it \"電話番号\"?"), "{refusal}");
    let refusal =
        planned_with(&["id", "電話番号"], &of(&["id", "電話 番号", "電 話番号"]), &plain).unwrap_err();
    assert!(refusal.contains("is it \"電 話番号\" or \"電話 番号\"?"), "{refusal}");
    let refusal = planned_with(&["id", "zip code"], &one, &plain).unwrap_err();
    assert!(
        refusal.contains("unknown: \"zip code\", column 2 of the file; in the table, is it \"zipcode\"?"),
        "{refusal}"
    );
}
