//! A table of SQLite, or what rows can be written to like one: a view with a trigger instead, a full-text index.

mod kind;

use diesel::result::Error;
use diesel::sql_types::{Bool, Integer, Nullable, Text};
use diesel::{QueryableByName, RunQueryDsl as _, SqliteConnection, sql_query};

use super::identifiers::{behind_main, identifiers, in_sqlite};
use super::{Column, Found, Table, quoted};
use crate::db::OWN_TABLES;
use crate::db::failure::database_failure;
use crate::failure::Failure;
use kind::kind_of;

/// Modules that keep texts as they are.
const FULL_TEXT: [&str; 3] = ["fts3", "fts4", "fts5"];

#[derive(QueryableByName)]
struct TableRow {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Bool)]
    without_rowid: bool,
    #[diesel(sql_type = Bool)]
    strict: bool,
}

#[derive(QueryableByName)]
struct DefinitionRow {
    #[diesel(sql_type = Text)]
    definition: String,
}

#[derive(QueryableByName)]
struct ColumnRow {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    declared: String,
    #[diesel(sql_type = Bool)]
    not_null: bool,
    #[diesel(sql_type = Bool)]
    has_triggers: bool,
    #[diesel(sql_type = Nullable<Text>)]
    default_value: Option<String>,
    #[diesel(sql_type = Integer)]
    key: i32,
    #[diesel(sql_type = Integer)]
    hidden: i32,
}

pub(super) fn read(connection: &mut SqliteConnection, name: &str) -> Result<Found, Failure> {
    let tables = sql_query(
        "SELECT name, type AS kind, wr AS without_rowid, strict FROM pragma_table_list WHERE schema = 'main'",
    )
    .load::<TableRow>(connection)
    .map_err(|error| database_failure(&error, "read the names of the tables"))?;
    let find = |name: &str| tables.iter().find(|table| table.name.eq_ignore_ascii_case(name));
    // A name may have a dot or quotes of its own.
    let in_quotes = || match identifiers(name)? {
        (None, bare) => find(&bare),
        (Some(schema), bare) => find(&bare).filter(|_| schema.eq_ignore_ascii_case("main")),
    };
    let Some(table) = find(name).or_else(|| find(behind_main(name)?)).or_else(in_quotes) else {
        // SQLite knows its own by other names as well (`sqlite_master`), and makes no table of such a name.
        if in_sqlite(name).is_some_and(|(_, bare)| bare.to_ascii_lowercase().starts_with("sqlite_")) {
            return Ok(Found::Reserved);
        }
        let others = tables.into_iter().filter(|table| table.kind != "shadow").map(|table| table.name);
        return Ok(Found::Missing { others: others.collect() });
    };
    let name = table.name.to_ascii_lowercase();
    if OWN_TABLES.contains(&name.as_str()) || name.starts_with("sqlite_") || table.kind == "shadow" {
        return Ok(Found::Reserved);
    }
    if let Some(why) = unwritable(connection, table, &tables)? {
        return Ok(Found::Unwritable { why });
    }
    let rows = sql_query(
        "SELECT name, type AS declared, \"notnull\" AS not_null, \
         EXISTS (SELECT 1 FROM main.sqlite_schema WHERE type = 'trigger' AND tbl_name = ? COLLATE NOCASE) AS has_triggers, dflt_value AS default_value, pk AS key, hidden \
         FROM pragma_table_xinfo(?)",
    )
    .bind::<Text, _>(&table.name)
    .bind::<Text, _>(&table.name)
    .load::<ColumnRow>(connection)
    .map_err(|error| database_failure(&error, "read the table's columns"))?;
    let mut key: Vec<_> =
        rows.iter().filter(|row| row.key > 0).map(|row| (row.key, row.name.clone())).collect();
    key.sort_unstable();
    let columns = rows
        .into_iter()
        .filter(|row| row.hidden != 1)
        .map(|row| {
            // The one key column of type INTEGER is the row's number: SQLite gives one where it is NULL or not given.
            let is_rowid = row.key > 0
                && key.len() == 1
                && !table.without_rowid
                && row.declared.eq_ignore_ascii_case("INTEGER");
            Column {
                kind: kind_of(&row.declared, table.strict),
                base_type: row.declared.clone(),
                type_name: row.declared,
                nullable: !row.not_null || is_rowid,
                // A trigger sees the row before SQLite looks for what is missing in it, and may leave it out.
                takes_null: !row.not_null || is_rowid || row.has_triggers,
                has_default: row.default_value.is_some() || is_rowid,
                generated: matches!(row.hidden, 2 | 3),
                identity_always: false,
                takes_empty: false,
                name: row.name,
            }
        })
        .collect();
    Ok(Found::Table(Table {
        name: table.name.clone(),
        sql: format!("\"main\".{}", quoted(&table.name)),
        oid: 0,
        server: None,
        primary_key: key.into_iter().map(|(_, name)| name).collect(),
        columns,
    }))
}

/// Why rows cannot be written to it, if they cannot.
fn unwritable(
    connection: &mut SqliteConnection,
    table: &TableRow,
    tables: &[TableRow],
) -> Result<Option<String>, Failure> {
    match table.kind.as_str() {
        "view" => {
            // SQLite itself says whether there is such a trigger.
            let insertion = format!("EXPLAIN INSERT INTO \"main\".{} DEFAULT VALUES", quoted(&table.name));
            let refusal = format!("cannot modify {} because it is a view", table.name);
            let is_refused = matches!(
                sql_query(insertion).execute(connection),
                Err(Error::DatabaseError(_, information)) if information.message() == refusal
            );
            let advice = "a view that has no trigger INSTEAD OF INSERT; \
                          import into the table behind it, or create such a trigger";
            Ok(is_refused.then(|| advice.to_owned()))
        }
        "virtual" => virtual_table(connection, table, tables),
        _ => Ok(None),
    }
}

/// The same of a virtual table: only a full-text index keeps what it is given, and only one that has content of its own. The content
/// is the shadow table `…_content`; with `contentless_unindexed`, which came later, that has some of the columns alone.
fn virtual_table(
    connection: &mut SqliteConnection,
    table: &TableRow,
    tables: &[TableRow],
) -> Result<Option<String>, Failure> {
    let DefinitionRow { definition } =
        sql_query("SELECT sql AS definition FROM main.sqlite_schema WHERE name = ?")
            .bind::<Text, _>(&table.name)
            .get_result(connection)
            .map_err(|error| database_failure(&error, "read how the table was made"))?;
    let definition = definition.to_ascii_lowercase();
    let module = module_of(&definition);
    let content = format!("{}_content", table.name);
    let has_content =
        tables.iter().any(|other| other.kind == "shadow" && other.name.eq_ignore_ascii_case(&content))
            && !definition.contains("contentless_unindexed");
    let what = match (FULL_TEXT.contains(&module), has_content) {
        (true, true) => return Ok(None),
        (true, false) => {
            "a full-text index without content of its own, which keeps words and not the file's values"
                .to_owned()
        }
        (false, _) => {
            format!("a virtual table of the module {module}, which may keep another value than the file's")
        }
    };
    let advice = format!(
        "import into a table, and copy from there: INSERT INTO {} SELECT … FROM …",
        quoted(&table.name)
    );
    Ok(Some(format!("{what}; {advice}")))
}

/// The word behind USING.
fn module_of(definition: &str) -> &str {
    let mut words =
        definition.split(|character: char| !character.is_ascii_alphanumeric() && character != '_');
    words.by_ref().find(|word| *word == "using");
    words.find(|word| !word.is_empty()).unwrap_or_default()
}

impl Table {
    /// A table that is nowhere, of columns with these names and declared types.
    pub(crate) fn declared(columns: &[(&str, &str)]) -> Self {
        let column = |(name, declared): &(&str, &str)| Column {
            name: (*name).to_owned(),
            type_name: (*declared).to_owned(),
            base_type: (*declared).to_owned(),
            kind: kind_of(declared, false),
            nullable: true,
            takes_null: true,
            has_default: false,
            generated: false,
            identity_always: false,
            takes_empty: false,
        };
        Self {
            name: "declared".to_owned(),
            sql: "\"declared\"".to_owned(),
            oid: 0,
            server: None,
            primary_key: Vec::new(),
            columns: columns.iter().map(column).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_primary_key_has_its_own_order_whatever_kind_of_table_it_is() {
        use diesel::Connection as _;
        use diesel::connection::SimpleConnection as _;

        let mut connection = SqliteConnection::establish(":memory:").unwrap();
        connection
            .batch_execute(
                "CREATE TABLE numbered (v TEXT, id INTEGER PRIMARY KEY); CREATE TABLE none (v TEXT UNIQUE);
                 CREATE TABLE pair (a INT, b TEXT, c INT, PRIMARY KEY (c, a)) WITHOUT ROWID",
            )
            .unwrap();
        let mut key = |name| match read(&mut connection, name).unwrap() {
            Found::Table(table) => table.primary_key,
            _ => panic!("no table {name}"),
        };
        assert_eq!(key("numbered"), ["id"]);
        assert_eq!(key("pair"), ["c", "a"]);
        assert!(key("none").is_empty());
    }
}
