//! A table of SQLite. Its types are mere words: what a column makes of a value is its affinity, which follows from the
//! word. So the word is understood only where the value that is checked here is the value that comes back; any other (such
//! as `STRING`, a number to SQLite) cannot be imported.

use diesel::sql_types::{Bool, Integer, Nullable, Text};
use diesel::{QueryableByName, RunQueryDsl as _, SqliteConnection, sql_query};

use super::{Column, Found, Table, quoted};
use crate::db::OWN_TABLES;
use crate::db::failure::database_failure;
use crate::failure::Failure;
use crate::import::value::{DecimalLimits, Kind, Width};

/// Digits that an eight-byte binary fraction keeps of any decimal number.
const EXACT_DIGITS: u16 = 15;

/// Digits behind a second's point: as many as the text is written with.
const SECOND_DIGITS: u8 = 9;

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
struct ColumnRow {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    declared: String,
    #[diesel(sql_type = Bool)]
    not_null: bool,
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
    let bare = name.strip_prefix("main.").unwrap_or(name);
    let Some(table) = tables.iter().find(|table| table.name.eq_ignore_ascii_case(bare)) else {
        return Ok(Found::Missing { others: tables.into_iter().map(|table| table.name).collect() });
    };
    if OWN_TABLES.iter().any(|own| own.eq_ignore_ascii_case(&table.name)) || table.kind == "shadow" {
        return Ok(Found::Reserved);
    }
    match table.kind.as_str() {
        "table" => {}
        "view" => return Ok(Found::NotATable { what: "a view" }),
        _ => return Ok(Found::NotATable { what: "a virtual table" }),
    }
    let rows = sql_query(
        "SELECT name, type AS declared, \"notnull\" AS not_null, dflt_value AS default_value, pk AS key, hidden \
         FROM pragma_table_xinfo(?)",
    )
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
        is_partitioned: false,
        oid: 0,
        server: None,
        primary_key: key.into_iter().map(|(_, name)| name).collect(),
        columns,
    }))
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
            is_partitioned: false,
            primary_key: Vec::new(),
            columns: columns.iter().map(column).collect(),
        }
    }
}

/// What a column of this declared type takes.
fn kind_of(declared: &str, strict: bool) -> Option<Kind> {
    let upper = declared.to_ascii_uppercase();
    let (word, numbers) = split(&upper);
    let first = numbers.first().copied();
    let text = Kind::Text { max_characters: first.filter(|&length| length > 0) };
    if strict && word == "ANY" {
        return Some(text);
    }
    Some(match word {
        "BOOLEAN" | "BOOL" => Kind::Boolean,
        "DATE" => Kind::Date,
        "TIME" => Kind::Time(SECOND_DIGITS),
        "DATETIME" | "TIMESTAMP" | "TIMESTAMP WITHOUT TIME ZONE" => Kind::Timestamp(SECOND_DIGITS),
        "TIMESTAMPTZ" | "TIMESTAMPTZSQLITE" | "TIMESTAMP WITH TIME ZONE" => {
            Kind::TimestampZone(SECOND_DIGITS)
        }
        "UUID" | "GUID" => Kind::Uuid,
        "JSON" | "JSONB" => Kind::Json,
        "BYTEA" => Kind::Bytes,
        "DECIMAL" | "NUMERIC" | "NUMBER" => {
            let precision = first.and_then(|precision| u16::try_from(precision).ok());
            let scale = numbers.get(1).and_then(|&scale| i16::try_from(scale).ok()).unwrap_or(0);
            Kind::Decimal(DecimalLimits {
                declared: precision.map(|precision| (precision, scale)),
                significant: Some(EXACT_DIGITS),
            })
        }
        // SQLite's own rules, in their order ("Determination Of Column Affinity").
        word if word.contains("INT") && word != "POINT" && !word.contains("INTERVAL") => {
            Kind::Integer(Width::Eight)
        }
        word if word.contains("CHAR") || word.contains("CLOB") || word.contains("TEXT") => text,
        // Without a type nothing is converted: the text stays as it is.
        "" => text,
        word if word.contains("BLOB") => Kind::Bytes,
        word if word.contains("REAL") || word.contains("FLOA") || word.contains("DOUB") => {
            Kind::Float { single: false, special: false }
        }
        _ => return None,
    })
}

/// `VARCHAR (20)` is a word and its numbers.
fn split(declared: &str) -> (&str, Vec<u32>) {
    match declared.split_once('(') {
        Some((word, rest)) => {
            let numbers = rest.split(')').next().unwrap_or_default();
            (word.trim(), numbers.split(',').map_while(|number| number.trim().parse().ok()).collect())
        }
        None => (declared.trim(), Vec::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_declared_type_is_understood_where_the_value_comes_back_as_it_was() {
        assert_eq!(kind_of("varchar(20)", false), Some(Kind::Text { max_characters: Some(20) }));
        assert_eq!(kind_of("UNSIGNED BIG INT", false), Some(Kind::Integer(Width::Eight)));
        assert_eq!(kind_of("double precision", false), Some(Kind::Float { single: false, special: false }));
        assert_eq!(kind_of("BLOB", true), Some(Kind::Bytes));
        let decimal = DecimalLimits { declared: Some((10, 2)), significant: Some(15) };
        assert_eq!(kind_of("DECIMAL(10, 2)", false), Some(Kind::Decimal(decimal)));
        assert_eq!(kind_of("ANY", true), Some(Kind::Text { max_characters: None }));
    }

    #[test]
    fn a_word_that_makes_numbers_of_texts_is_not_understood() {
        for declared in ["STRING", "ANY", "PHONE", "POINT", "INTERVAL"] {
            assert_eq!(kind_of(declared, false), None, "{declared}");
        }
    }

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
