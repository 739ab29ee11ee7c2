//! The tables that imports go to, and what is asked of them.

use std::fmt::Write as _;

use e2e::rows;
use fastrand::Rng;
use worker::db::Database;

use crate::backend::Rows;
use crate::plan::values::{self, Column};
use crate::plan::{Import, Kind};

/// Each with the words behind its columns. Those without a key have a row twice that comes twice.
const TABLES: [(&str, &str); 5] = [
    ("chaos", ""),
    ("latest", ", PRIMARY KEY (import_id, line)"),
    ("earliest", ", PRIMARY KEY (import_id, line)"),
    ("picky", ""),
    ("triggered", ", stamp text"),
];

/// What a table of PostgreSQL needs before.
const BEFORE: [&str; 1] = ["CREATE DOMAIN level AS integer CHECK (VALUE > 0)"];

/// A load takes up to a second, so that faults meet it in its midst.
const SLOWNESS: [&str; 3] = [
    "CREATE FUNCTION slowly() RETURNS trigger LANGUAGE plpgsql AS \
     $$ BEGIN PERFORM pg_sleep(random()); RETURN NULL; END $$",
    "CREATE TRIGGER slowly AFTER INSERT ON chaos FOR EACH STATEMENT EXECUTE FUNCTION slowly()",
    "CREATE TRIGGER slowly AFTER INSERT ON triggered FOR EACH STATEMENT EXECUTE FUNCTION slowly()",
];

/// One trigger leaves rows out and writes into the others, one keeps a log.
const TRIGGERS: [&str; 4] = [
    "CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
     IF NEW.level % 7 = 0 THEN RETURN NULL; END IF; \
     NEW.stamp := NEW.import_id || '/' || NEW.line; RETURN NEW; END $$",
    "CREATE TRIGGER stamp BEFORE INSERT ON triggered FOR EACH ROW EXECUTE FUNCTION stamp()",
    "CREATE FUNCTION log() RETURNS trigger LANGUAGE plpgsql AS \
     $$ BEGIN INSERT INTO log VALUES (NEW.import_id, NEW.line); RETURN NULL; END $$",
    "CREATE TRIGGER log AFTER INSERT ON triggered FOR EACH ROW EXECUTE FUNCTION log()",
];

/// SQLite's triggers change no row that is about to be written; the log's trigger does it afterwards.
const TRIGGERS_OF_SQLITE: [&str; 2] = [
    "CREATE TRIGGER stamp BEFORE INSERT ON triggered WHEN NEW.level % 7 = 0 BEGIN SELECT RAISE(IGNORE); END",
    "CREATE TRIGGER log AFTER INSERT ON triggered BEGIN \
     UPDATE triggered SET stamp = import_id || '/' || line WHERE rowid = NEW.rowid; \
     INSERT INTO log VALUES (NEW.import_id, NEW.line); END",
];

/// Between two values of a row that is read, and in place of a NULL.
const BETWEEN: char = '\u{1f}';
const NULL: &str = "\u{1e}";

/// A row as it is read: its line, and its values.
pub(crate) type Row = (u32, Vec<Option<String>>);

/// Makes them.
pub(crate) fn create(database: &Database, backend: Rows) {
    let run = |sql: &&str| rows::execute(database, sql);
    if backend == Rows::Postgres {
        BEFORE.iter().for_each(run);
    }
    let columns: Vec<_> = values::columns(backend).map(|column| column.definition(backend)).collect();
    for (table, rest) in TABLES {
        let columns = columns.join(", ");
        let sql = format!(
            "CREATE TABLE {table} (import_id varchar(40) NOT NULL, line bigint NOT NULL, {columns}{rest})"
        );
        rows::execute(database, &sql);
    }
    run(&"CREATE TABLE log (import_id varchar(40) NOT NULL, line bigint NOT NULL)");
    match backend {
        Rows::Postgres => SLOWNESS.iter().chain(&TRIGGERS).for_each(run),
        Rows::Sqlite => TRIGGERS_OF_SQLITE.iter().for_each(run),
    }
}

/// Writes the rows that are to be there before the imports come.
pub(crate) fn fill(database: &Database, imports: &[Import]) {
    for import in imports {
        let rows = import.rows_before();
        let lines = rows.iter().map(|row| {
            let mut line = format!("('{}', {}", import.id, row.line);
            for (column, cell) in values::columns(import.backend).zip(row.cells(import)) {
                let _ = write!(line, ", {}", literal(column, cell.stored, import.backend));
            }
            line + ")"
        });
        let lines: Vec<_> = lines.collect();
        if !lines.is_empty() {
            rows::execute(database, &format!("INSERT INTO {} VALUES {}", import.table(), lines.join(", ")));
        }
    }
}

/// A stored value as a literal of SQL.
fn literal(column: &Column, stored: Option<String>, backend: Rows) -> String {
    let Some(stored) = stored else { return "NULL".to_owned() };
    match (column.name, backend) {
        ("raw", Rows::Postgres) => format!("'\\x{stored}'"),
        ("raw", Rows::Sqlite) => format!("x'{stored}'"),
        ("at", Rows::Postgres) => format!("'{stored}+00'"),
        _ => format!("'{}'", stored.replace('\'', "''")),
    }
}

/// Makes the audit's questions quick.
pub(crate) fn index(database: &Database) {
    for table in ["chaos", "picky", "triggered", "log"] {
        rows::execute(database, &format!("CREATE INDEX audit_{table} ON {table} (import_id)"));
    }
}

/// The names of the columns that [`rows_of`] reads behind the line.
pub(crate) fn names(import: &Import) -> impl Iterator<Item = &'static str> {
    let stamp = (import.kind == Kind::Triggers).then_some("stamp");
    values::columns(import.backend).map(|column| column.name).chain(stamp)
}

/// The rows of an import's table that are its own.
pub(crate) fn rows_of(database: &Database, import: &Import) -> Vec<Row> {
    let stamp = (import.kind == Kind::Triggers).then_some("stamp");
    let columns = values::columns(import.backend).map(|column| column.read(import.backend)).chain(stamp);
    let texts: String =
        columns.map(|text| format!(" || '{BETWEEN}' || coalesce({text}, '{NULL}')")).collect();
    let sql = format!(
        "SELECT line{texts} AS value FROM {} WHERE import_id = '{}' ORDER BY line",
        import.table(),
        import.id
    );
    let read = |row: String| {
        let mut values = row.split(BETWEEN).map(|value| (value != NULL).then(|| value.to_owned()));
        let line = values.next().flatten().and_then(|line| line.parse().ok());
        (line.expect("a line is a number"), values.collect())
    };
    rows::texts(database, &sql).into_iter().map(read).collect()
}

/// The lines that the log's trigger has noted for an import.
pub(crate) fn logged(database: &Database, import: &Import) -> Vec<u32> {
    let sql = format!("SELECT line || '' AS value FROM log WHERE import_id = '{}' ORDER BY line", import.id);
    rows::texts(database, &sql).into_iter().map(|line| line.parse().expect("a line is a number")).collect()
}

/// Changes one value of one row, and says which.
pub(crate) fn change_one_value(database: &Database, imports: &[Import], random: &mut Rng) -> String {
    loop {
        let import = random.choice(imports).expect("a run has imports");
        let column =
            random.choice(values::columns(import.backend).collect::<Vec<_>>()).expect("a table has columns");
        let (table, name, id) = (import.table(), column.name, &import.id);
        let of_import = format!("FROM {table} WHERE import_id = '{id}' AND \"{name}\" IS NOT NULL");
        let lines = rows::texts(database, &format!("SELECT line || '' AS value {of_import}"));
        let Some(line) = random.choice(lines) else { continue };
        let change = column.change;
        let of_row = format!("WHERE import_id = '{id}' AND line = {line}");
        rows::execute(database, &format!("UPDATE {table} SET \"{name}\" = {change} {of_row}"));
        return format!("{table}.{name} of {id}, line {line}, is another value");
    }
}
