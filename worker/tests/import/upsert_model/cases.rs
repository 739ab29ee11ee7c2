//! Tables and files to be compared: few values, so that keys meet, and all that may refuse, ignore or change a row.

use std::fmt::Write as _;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use statemachine::OnConflict;

/// By what rows are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Key {
    /// `id`, the row's number in SQLite.
    Number,
    /// `code`, a text.
    Code,
    /// `email`, a text in which case makes no difference, beside a primary key.
    Email,
    /// `a` and `b`, of which `b` may be NULL.
    Pair,
}

/// Whether the other column's values may stand once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Other {
    Free,
    Unique,
    /// By an index of some of the rows.
    PartlyUnique,
}

/// What may stand in a row's way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trigger {
    /// Before an insert: refuses `no`, in words that SQLite has for something else.
    Refuses,
    /// Before an insert: leaves `ign` out.
    Ignores,
    /// After an insert: refuses `fail`, when the row is there already.
    Fails,
    /// Before an update: refuses `noup`, leaves `ignup` out.
    Updates,
    /// After an insert: writes `v` elsewhere, where each may stand once.
    Audits,
}

const TRIGGERS: [Trigger; 5] =
    [Trigger::Refuses, Trigger::Ignores, Trigger::Fails, Trigger::Updates, Trigger::Audits];

/// A row: what the key's columns are made of, the other unique column, the value.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    first: Option<u8>,
    second: Option<u8>,
    other: Option<u8>,
    value: &'static str,
}

/// A table, what is in it, and a file.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    key: Key,
    other: Other,
    /// In PostgreSQL: the value's rule is a domain's.
    has_domain: bool,
    triggers: Vec<Trigger>,
    existing: Vec<Row>,
    rows: Vec<Row>,
    /// The file has nothing but the key.
    keys_only: bool,
    pub(crate) on_conflict: OnConflict,
}

pub(crate) fn case(is_postgres: bool) -> impl Strategy<Value = Case> {
    let keys = select(vec![Key::Number, Key::Code, Key::Email, Key::Pair]);
    let conflicts = select(vec![OnConflict::Error, OnConflict::Skip, OnConflict::Update]);
    let triggers = prop_oneof![
        2 => Just(Vec::new()),
        3 => subsequence(TRIGGERS.to_vec(), 1..=3),
    ];
    let rows = (vec(row(), 0..4), vec(row(), 1..12));
    let others = select(vec![Other::Free, Other::Unique, Other::PartlyUnique]);
    (keys, (others, any::<bool>()), triggers, rows, prop::bool::weighted(0.1), conflicts).prop_map(
        move |(key, (other, has_domain), triggers, (existing, rows), keys_only, on_conflict)| {
            // Only SQLite numbers a row whose number is NULL; and one empty field alone is no row.
            let numbered = |mut row: Row| {
                if (is_postgres && key == Key::Number) || (keys_only && key != Key::Pair) {
                    row.first = row.first.or(Some(1));
                }
                row
            };
            let rows = rows.into_iter().map(numbered).collect();
            // What is there was taken: under a number, and with a key where that must have a value.
            let taken = |row: Row| {
                let first = if key == Key::Code { row.first.or(Some(4)) } else { row.first };
                Row { first, second: row.second.or(Some(4)), value: "old", ..row }
            };
            let existing = existing.into_iter().map(numbered).map(taken).collect();
            Case { key, other, has_domain, triggers, existing, rows, keys_only, on_conflict }
        },
    )
}

fn row() -> impl Strategy<Value = Row> {
    let number = || prop_oneof![8 => (1..5_u8).prop_map(Some), 1 => Just(None)];
    let values = select(vec!["x", "y", "z", "bad", "no", "ign", "fail", "noup", "ignup"]);
    let values = prop_oneof![3 => select(vec!["x", "y", "z"]), 2 => values];
    (number(), number(), option::weighted(0.5, 1..9_u8), values)
        .prop_map(|(first, second, other, value)| Row { first, second, other, value })
}

impl Case {
    /// The columns of the key, as SQL and as the import's option.
    pub(crate) fn key_columns(&self) -> &'static [&'static str] {
        match self.key {
            Key::Number => &["id"],
            Key::Code => &["code"],
            Key::Email => &["email"],
            Key::Pair => &["a", "b"],
        }
    }

    /// The key, where the import has to name it.
    pub(crate) fn key_option(&self) -> Vec<String> {
        let is_primary = matches!(self.key, Key::Number | Key::Code);
        let named = self.on_conflict != OnConflict::Error && !is_primary;
        self.key_columns().iter().filter(|_| named).map(|name| (*name).to_owned()).collect()
    }

    /// The columns that the file fills.
    pub(crate) fn columns(&self) -> Vec<&'static str> {
        let mut columns = self.key_columns().to_vec();
        if !self.keys_only {
            if self.key == Key::Email {
                columns.insert(0, "id");
            }
            columns.extend(["u", "v"]);
        }
        columns
    }

    /// The table of this name, the one that a trigger writes into, the triggers, and what is in the table before.
    pub(crate) fn ddl(&self, table: &str, is_postgres: bool) -> String {
        let nocase = if is_postgres { "COLLATE nocase" } else { "COLLATE NOCASE" };
        let key = match self.key {
            Key::Number => "id INTEGER PRIMARY KEY".to_owned(),
            Key::Code => "code TEXT PRIMARY KEY".to_owned(),
            Key::Email if is_postgres => {
                format!("id serial PRIMARY KEY, email TEXT {nocase} UNIQUE")
            }
            Key::Email => format!("id INTEGER PRIMARY KEY, email TEXT {nocase} UNIQUE"),
            Key::Pair => "a INTEGER, b TEXT, UNIQUE (a, b)".to_owned(),
        };
        let unique = if self.other == Other::Unique { "UNIQUE" } else { "" };
        let has_domain = is_postgres && self.has_domain;
        let value = if has_domain { format!("d_{table}") } else { "TEXT CHECK (v <> 'bad')".to_owned() };
        // In SQLite a table's rules stand behind its columns.
        let (key, rule) = match self.key {
            Key::Pair => ("a INTEGER, b TEXT".to_owned(), ", UNIQUE (a, b)"),
            _ => (key, ""),
        };
        let mut ddl = format!(
            "CREATE TABLE audit_{table} (v TEXT UNIQUE); \
             CREATE TABLE {table} ({key}, u INTEGER {unique}, v {value}{rule});"
        );
        if self.other == Other::PartlyUnique {
            let _ = write!(ddl, "CREATE UNIQUE INDEX partly_{table} ON {table} (u) WHERE u < 6;");
        }
        if has_domain {
            ddl.insert_str(0, &format!("CREATE DOMAIN d_{table} AS text CHECK (VALUE <> 'bad'); "));
        }
        if is_postgres {
            ddl.insert_str(
                0,
                "CREATE COLLATION IF NOT EXISTS nocase (provider = icu, locale = 'und-u-ks-level2', deterministic = false); ",
            );
        }
        for row in &self.existing {
            let values = self.values(row).join(", ");
            let columns = self.columns().join(", ");
            let _ = write!(ddl, "INSERT INTO {table} ({columns}) VALUES ({values}) ON CONFLICT DO NOTHING;");
        }
        for trigger in &self.triggers {
            ddl.push_str(&if is_postgres { trigger.of_postgres(table) } else { trigger.of_sqlite(table) });
        }
        ddl
    }

    /// What takes that away.
    pub(crate) fn drop(&self, table: &str, is_postgres: bool) -> String {
        let functions = if is_postgres {
            format!("DROP FUNCTION IF EXISTS f_{table} CASCADE; DROP DOMAIN IF EXISTS d_{table};")
        } else {
            String::new()
        };
        format!("DROP TABLE {table}; DROP TABLE audit_{table}; {functions}")
    }

    /// What is in the table, as a query of lines.
    pub(crate) fn content(&self, table: &str) -> String {
        let mut columns = self.key_columns().to_vec();
        // A sequence does not go back with the row that it numbered.
        if self.key == Key::Email && !self.keys_only {
            columns.insert(0, "id");
        }
        columns.extend(["u", "v"]);
        let shown: Vec<_> =
            columns.iter().map(|column| format!("coalesce(CAST({column} AS TEXT), '-')")).collect();
        format!("SELECT {} AS line FROM {table} ORDER BY 1", shown.join(" || ' ' || "))
    }

    pub(crate) fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// A row's values as SQL, in the order of [`Case::columns`].
    pub(crate) fn values(&self, row: &Row) -> Vec<String> {
        self.fields(row)
            .into_iter()
            .zip(self.columns())
            .map(|(field, column)| literal(&field, column))
            .collect()
    }

    /// The values of a row's key as SQL.
    pub(crate) fn key_values(&self, row: &Row) -> Vec<String> {
        let values = self.values(row).into_iter().zip(self.columns());
        values.filter(|(_, column)| self.key_columns().contains(column)).map(|(value, _)| value).collect()
    }

    fn fields(&self, row: &Row) -> Vec<String> {
        let number = |value: Option<u8>| value.map_or_else(String::new, |value| value.to_string());
        let text = |value: Option<u8>| {
            value.map_or_else(String::new, |value| {
                ["ann", "Ann", "bob", "BOB", "cy"][usize::from(value)].to_owned()
            })
        };
        let mut fields = match self.key {
            Key::Number => vec![number(row.first)],
            Key::Code => vec![text(row.first)],
            Key::Email if self.keys_only => vec![text(row.first)],
            Key::Email => vec![number(row.second), text(row.first)],
            Key::Pair => vec![number(row.first), text(row.second)],
        };
        if !self.keys_only {
            fields.extend([number(row.other), row.value.to_owned()]);
        }
        fields
    }

    /// The file.
    pub(crate) fn file(&self) -> String {
        let mut file = self.columns().join(",");
        file.push('\n');
        for row in &self.rows {
            let _ = writeln!(file, "{}", self.fields(row).join(","));
        }
        file
    }
}

fn literal(field: &str, column: &str) -> String {
    if field.is_empty() {
        "NULL".to_owned()
    } else if matches!(column, "id" | "a" | "u") {
        field.to_owned()
    } else {
        format!("'{field}'")
    }
}

impl Trigger {
    fn of_sqlite(self, table: &str) -> String {
        let trigger = |name: &str, when: &str, value: &str, action: &str| {
            format!(
                "CREATE TRIGGER {table}_{name} {when} ON {table} WHEN NEW.v = '{value}' BEGIN {action}; END;"
            )
        };
        match self {
            Self::Refuses => {
                trigger("refuses", "BEFORE INSERT", "no", "SELECT RAISE(ABORT, 'database is locked')")
            }
            Self::Ignores => trigger("ignores", "BEFORE INSERT", "ign", "SELECT RAISE(IGNORE)"),
            Self::Fails => trigger("fails", "AFTER INSERT", "fail", "SELECT RAISE(FAIL, 'disk I/O error')"),
            Self::Updates => {
                trigger("noup", "BEFORE UPDATE", "noup", "SELECT RAISE(ABORT, 'no such table: x')")
                    + &trigger("ignup", "BEFORE UPDATE", "ignup", "SELECT RAISE(IGNORE)")
            }
            Self::Audits => format!(
                "CREATE TRIGGER {table}_audits AFTER INSERT ON {table} BEGIN INSERT INTO audit_{table} VALUES (NEW.v); END;"
            ),
        }
    }

    fn of_postgres(self, table: &str) -> String {
        let name = format!("f_{table}");
        let function = |kind: &str, body: &str| {
            format!(
                "CREATE FUNCTION {name}_{kind}() RETURNS trigger LANGUAGE plpgsql AS \
                 $$ BEGIN {body} RETURN NEW; END $$;"
            )
        };
        let trigger = |kind: &str, when: &str| {
            format!(
                "CREATE TRIGGER {table}_{kind} {when} ON {table} FOR EACH ROW EXECUTE FUNCTION {name}_{kind}();"
            )
        };
        let (kind, when, body) = match self {
            Self::Refuses => (
                "refuses",
                "BEFORE INSERT",
                "IF NEW.v = 'no' THEN RAISE EXCEPTION 'connection refused'; END IF;".to_owned(),
            ),
            Self::Ignores => {
                ("ignores", "BEFORE INSERT", "IF NEW.v = 'ign' THEN RETURN NULL; END IF;".to_owned())
            }
            Self::Fails => (
                "fails",
                "AFTER INSERT",
                "IF NEW.v = 'fail' THEN RAISE EXCEPTION 'out of memory'; END IF;".to_owned(),
            ),
            Self::Updates => (
                "updates",
                "BEFORE UPDATE",
                "IF NEW.v = 'noup' THEN RAISE EXCEPTION 'deadlock detected'; END IF; \
                 IF NEW.v = 'ignup' THEN RETURN NULL; END IF;"
                    .to_owned(),
            ),
            Self::Audits => ("audits", "AFTER INSERT", format!("INSERT INTO audit_{table} VALUES (NEW.v);")),
        };
        function(kind, &body) + &trigger(kind, when)
    }
}
