//! What SQLite has to do when a row comes in, as far as it decides how rows are written: unique keys, foreign keys, and
//! what the table's own definition says of conflicts.

use diesel::sql_types::{Bool, Integer, Nullable, Text};
use diesel::{QueryResult, QueryableByName, RunQueryDsl as _, SqliteConnection, sql_query};

use crate::db::failure::database_failure;
use crate::failure::Failure;
use crate::import::table::{Table, quoted};

/// A unique index that knows only columns and all rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct UniqueKey {
    /// Column and collation, in the index's order.
    pub(super) columns: Vec<(String, String)>,
}

/// A foreign key of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ForeignKey {
    /// The table that it refers to, as SQL.
    pub(super) parent: String,
    /// The same, for people.
    pub(super) parent_name: String,
    /// It refers to the table itself.
    pub(super) is_self: bool,
    /// SQLite checks it at the commit.
    pub(super) is_deferred: bool,
    /// Column here, and column there.
    pub(super) columns: Vec<(String, String)>,
}

/// What is known of a table before its rows are written.
#[derive(Debug)]
pub(super) struct Facts {
    /// Its unique keys, in the order in which SQLite looks at them.
    pub(super) keys: Vec<UniqueKey>,
    /// How many unique indexes it has beside the row's number: keys, and those on expressions or on some rows.
    pub(super) unique_indexes: usize,
    /// Its foreign keys.
    pub(super) foreign_keys: Vec<ForeignKey>,
    /// The statement that made it.
    pub(super) definition: String,
    /// It is a view: SQLite tells of no changed row.
    pub(super) is_view: bool,
}

#[derive(QueryableByName)]
struct KeyRow {
    #[diesel(sql_type = Integer)]
    number: i32,
    #[diesel(sql_type = Bool)]
    partial: bool,
    #[diesel(sql_type = Nullable<Text>)]
    name: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    collation: Option<String>,
}

#[derive(QueryableByName)]
struct ReferenceRow {
    #[diesel(sql_type = Integer)]
    number: i32,
    #[diesel(sql_type = Text)]
    parent: String,
    #[diesel(sql_type = Text)]
    child_column: String,
    #[diesel(sql_type = Nullable<Text>)]
    parent_column: Option<String>,
}

#[derive(QueryableByName)]
struct NameRow {
    #[diesel(sql_type = Text)]
    name: String,
}

#[derive(QueryableByName)]
struct DefinitionRow {
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Nullable<Text>)]
    definition: Option<String>,
}

impl Facts {
    pub(super) fn read(connection: &mut SqliteConnection, table: &Table) -> Result<Self, Failure> {
        Self::query(connection, &table.name)
            .map_err(|error| database_failure(&error, "read the table's keys and references"))
    }

    fn query(connection: &mut SqliteConnection, name: &str) -> QueryResult<Self> {
        let made: DefinitionRow = sql_query(
            "SELECT type AS kind, sql AS definition FROM main.sqlite_schema \
             WHERE type IN ('table', 'view') AND name = ?",
        )
        .bind::<Text, _>(name)
        .get_result(connection)?;
        let (keys, unique_indexes) = read_keys(connection, name)?;
        let mut facts = Self {
            keys,
            unique_indexes,
            foreign_keys: read_foreign_keys(connection, name)?,
            definition: made.definition.unwrap_or_default(),
            is_view: made.kind == "view",
        };
        facts.tell_deferred();
        Ok(facts)
    }

    /// No query tells which foreign keys are deferred. They come in the reverse order of the definition; where its words cannot
    /// be told from a comment's, one that is deferred makes all of them so.
    fn tell_deferred(&mut self) {
        let squeezed = self.squeezed();
        let is_deferred =
            |words: &str| words.contains("INITIALLY DEFERRED") && !words.contains("NOT DEFERRABLE");
        let told: Vec<_> = squeezed.split("REFERENCES").skip(1).map(is_deferred).collect();
        let is_any = told.contains(&true);
        let is_told = told.len() == self.foreign_keys.len();
        for (key, told) in self.foreign_keys.iter_mut().zip(told.into_iter().rev()) {
            key.is_deferred = if is_told { told } else { is_any };
        }
    }

    /// The unique key on just these columns by which SQLite tells a conflict.
    pub(super) fn key_on(&self, columns: &[String]) -> Option<&UniqueKey> {
        self.keys.iter().find(|key| {
            key.columns.len() == columns.len() && key.columns.iter().all(|(name, _)| columns.contains(name))
        })
    }

    /// The same for a foreign key, which may write the names otherwise. None where it refers to the row's number.
    pub(super) fn key_on_any_case_of(&self, columns: &[String]) -> Option<&UniqueKey> {
        let is_in = |column: &str| columns.iter().any(|name| name.eq_ignore_ascii_case(column));
        self.keys
            .iter()
            .find(|key| key.columns.len() == columns.len() && key.columns.iter().all(|(name, _)| is_in(name)))
    }

    /// The collation by which SQLite compares one of the columns that a foreign key refers to: that of their unique index.
    pub(super) fn collation(&self, columns: &[String], column: &str) -> String {
        let key = self.key_on_any_case_of(columns);
        let part = key.and_then(|key| key.columns.iter().find(|(part, _)| part.eq_ignore_ascii_case(column)));
        part.map_or("BINARY", |(_, collation)| collation.as_str()).to_owned()
    }

    /// How columns that a foreign key refers to compare: the definition of each, but for its name. SQLite compares by the type
    /// and the collation of the column that is referred to, which are those of its unique index.
    pub(super) fn compared(&self, table: &Table, columns: &[String]) -> Vec<String> {
        let definition = |name: &String| {
            let own = table.columns.iter().find(|column| column.name.eq_ignore_ascii_case(name));
            let declared = own.map_or("", |column| column.type_name.as_str());
            // Of a STRICT table: every value as it is.
            let is_any = declared.is_empty() || (declared.eq_ignore_ascii_case("ANY") && self.says("STRICT"));
            let of = if is_any { String::new() } else { quoted(declared) };
            format!("{of} COLLATE {}", quoted(&self.collation(columns, name)))
        };
        columns.iter().map(definition).collect()
    }

    /// Whether the definition has these words, one behind the other. A comment or a default may have them too: what follows
    /// from them costs time and nothing else.
    pub(super) fn says(&self, words: &str) -> bool {
        self.squeezed().contains(words)
    }

    /// Whether a row that clashes may be lost, or take another one away: by ON CONFLICT with anything but ABORT and FAIL.
    pub(super) fn loses_rows(&self) -> bool {
        let is_harmless =
            |rest: &str| ["ABORT", "FAIL"].iter().any(|word| rest.trim_start().starts_with(word));
        self.squeezed().split("ON CONFLICT").skip(1).any(|rest| !is_harmless(rest))
    }

    fn squeezed(&self) -> String {
        self.definition.split_whitespace().collect::<Vec<_>>().join(" ").to_ascii_uppercase()
    }
}

fn read_keys(connection: &mut SqliteConnection, table: &str) -> QueryResult<(Vec<UniqueKey>, usize)> {
    let rows: Vec<KeyRow> = sql_query(
        "SELECT i.seq AS number, i.partial AS partial, c.name AS name, c.coll AS collation \
         FROM pragma_index_list(?, 'main') i, pragma_index_xinfo(i.name, 'main') c \
         WHERE i.\"unique\" AND c.key ORDER BY i.seq, c.seqno",
    )
    .bind::<Text, _>(table)
    .load(connection)?;
    let indexes: Vec<_> = rows.chunk_by(|a, b| a.number == b.number).collect();
    let keys = indexes.iter().filter_map(|index| {
        let columns = index.iter().map(|row| {
            let collation = row.collation.clone().unwrap_or_else(|| "BINARY".to_owned());
            Some((row.name.clone().filter(|_| !row.partial)?, collation))
        });
        Some(UniqueKey { columns: columns.collect::<Option<_>>()? })
    });
    Ok((keys.collect(), indexes.len()))
}

fn read_foreign_keys(connection: &mut SqliteConnection, table: &str) -> QueryResult<Vec<ForeignKey>> {
    let rows: Vec<ReferenceRow> = sql_query(
        "SELECT id AS number, \"table\" AS parent, \"from\" AS child_column, \"to\" AS parent_column \
         FROM pragma_foreign_key_list(?, 'main') ORDER BY id, seq",
    )
    .bind::<Text, _>(table)
    .load(connection)?;
    let mut found = Vec::new();
    for parts in rows.chunk_by(|a, b| a.number == b.number) {
        let Some(first) = parts.first() else { continue };
        let primary = if parts.iter().all(|part| part.parent_column.is_some()) {
            Vec::new()
        } else {
            read_primary_key(connection, &first.parent)?
        };
        let columns = parts.iter().enumerate().filter_map(|(place, part)| {
            let there = part.parent_column.clone().or_else(|| primary.get(place).cloned())?;
            Some((part.child_column.clone(), there))
        });
        found.push(ForeignKey {
            parent: format!("\"main\".{}", quoted(&first.parent)),
            parent_name: first.parent.clone(),
            is_self: first.parent.eq_ignore_ascii_case(table),
            is_deferred: false,
            columns: columns.collect(),
        });
    }
    Ok(found)
}

fn read_primary_key(connection: &mut SqliteConnection, table: &str) -> QueryResult<Vec<String>> {
    let rows: Vec<NameRow> =
        sql_query("SELECT name FROM pragma_table_info(?, 'main') WHERE pk > 0 ORDER BY pk")
            .bind::<Text, _>(table)
            .load(connection)?;
    Ok(rows.into_iter().map(|row| row.name).collect())
}

#[cfg(test)]
mod tests {
    use diesel::Connection as _;
    use diesel::connection::SimpleConnection as _;

    use super::*;

    fn facts(ddl: &str) -> Facts {
        let mut connection = SqliteConnection::establish(":memory:").unwrap();
        connection.batch_execute(ddl).unwrap();
        Facts::query(&mut connection, "t").unwrap()
    }

    #[test]
    fn keys_have_their_collations_and_partial_ones_are_none() {
        let found = facts(
            "CREATE TABLE t (id INTEGER PRIMARY KEY, email TEXT UNIQUE COLLATE NOCASE, a INT, b TEXT, UNIQUE (b, a));
             CREATE UNIQUE INDEX part ON t (a) WHERE a > 0; CREATE UNIQUE INDEX expr ON t (lower(b)); CREATE INDEX plain ON t (a)",
        );
        let key = |names: &[&str]| {
            found.key_on(&names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>()).cloned()
        };
        let pair = |name: &str, collation: &str| (name.to_owned(), collation.to_owned());
        assert_eq!(key(&["email"]).unwrap().columns, [pair("email", "NOCASE")]);
        assert_eq!(key(&["a", "b"]).unwrap().columns, [pair("b", "BINARY"), pair("a", "BINARY")]);
        assert_eq!((key(&["a"]), key(&["id"]), found.unique_indexes), (None, None, 4));
    }

    #[test]
    fn foreign_keys_name_the_columns_on_both_sides() {
        let found = facts(
            "CREATE TABLE p (x INT, y INT, PRIMARY KEY (y, x));
             CREATE TABLE t (id INTEGER PRIMARY KEY, up INT REFERENCES T, a INT, b INT, FOREIGN KEY (a, b) REFERENCES p)",
        );
        let pair = |here: &str, there: &str| (here.to_owned(), there.to_owned());
        let told: Vec<_> = found.foreign_keys.iter().map(|key| (key.is_self, key.columns.clone())).collect();
        assert!(told.contains(&(true, vec![pair("up", "id")])), "{told:?}");
        assert!(told.contains(&(false, vec![pair("a", "y"), pair("b", "x")])), "{told:?}");
    }

    #[test]
    fn words_of_the_definition_are_found_whatever_stands_between_them() {
        let found = facts("CREATE TABLE t (id INTEGER PRIMARY KEY on\n  Conflict REPLACE)");
        assert!(found.loses_rows() && !found.says("INITIALLY DEFERRED"));
    }

    #[test]
    fn which_foreign_keys_are_deferred_is_told_by_the_definition() {
        let deferred = |ddl: &str| -> Vec<_> {
            let told =
                facts(ddl).foreign_keys.into_iter().map(|key| (key.columns[0].0.clone(), key.is_deferred));
            told.filter(|(_, is_deferred)| *is_deferred).map(|(column, _)| column).collect()
        };
        let keys = "a INT REFERENCES t (id), b INT REFERENCES t DEFERRABLE INITIALLY  deferred, \
                    c INT REFERENCES t NOT DEFERRABLE INITIALLY DEFERRED, d INT references t deferrable";
        assert_eq!(deferred(&format!("CREATE TABLE t (id INTEGER PRIMARY KEY, {keys})")), ["b"]);
        let commented =
            format!("CREATE TABLE t (id INTEGER PRIMARY KEY /* it references nothing */, {keys})");
        assert_eq!(deferred(&commented), ["d", "c", "b", "a"]);
    }
}
