//! The table's unique keys: which one an upsert goes by, which one rows are sorted by.

use diesel::connection::SimpleConnection as _;
use diesel::sql_types::{Array, BigInt, Bool, Text};
use diesel::{QueryResult, QueryableByName, RunQueryDsl as _, sql_query};
use statemachine::{FailureName, ImportOptions, OnConflict};

use crate::db::Session;
use crate::db::failure::database_failure;
use crate::failure::Failure;
use crate::import::header::Plan;
use crate::import::table::{Table, quoted};
use crate::import::value::Kind;

/// What the server may use to sort before it goes to its disk.
const SORT_MEMORY: &str = "64MB";

/// Every index with its columns; an expression has no name. The primary key first, then what is unique.
const KEYS: &str = "\
SELECT ARRAY(SELECT coalesce(a.attname::text, '') FROM unnest(i.indkey::int2[]) WITH ORDINALITY k (number, place)
             LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number AND k.number > 0
             WHERE k.place <= i.indnkeyatts ORDER BY k.place) AS columns,
       i.indisunique AND i.indpred IS NULL AND i.indexprs IS NULL AND i.indimmediate AS decides
FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
JOIN pg_catalog.pg_am am ON am.oid = c.relam
WHERE i.indrelid = $1::oid AND i.indisvalid AND am.amname = 'btree'
ORDER BY i.indisprimary DESC, i.indisunique DESC, c.relname";

/// Whether a column that the file does not fill takes its values from a sequence.
const COUNTED: &str = "\
SELECT EXISTS (SELECT FROM pg_catalog.pg_attribute a
  LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
  WHERE a.attrelid = $1::oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attname::text <> ALL ($2)
    AND (a.attidentity <> '' OR pg_catalog.pg_get_expr(d.adbin, d.adrelid) LIKE 'nextval(%')) AS found";

/// Whether the table refers to itself by columns that the file fills.
const REFERS: &str = "\
SELECT EXISTS (SELECT FROM pg_catalog.pg_constraint con
  WHERE con.conrelid = $1::oid AND con.confrelid = $1::oid AND con.contype = 'f'
    AND EXISTS (SELECT FROM unnest(con.conkey) k (number) JOIN pg_catalog.pg_attribute a
                ON a.attrelid = con.conrelid AND a.attnum = k.number WHERE a.attname::text = ANY ($2))) AS found";

/// An index that rows go into.
#[derive(Debug, QueryableByName)]
pub(super) struct Key {
    #[diesel(sql_type = Array<Text>)]
    columns: Vec<String>,
    /// It decides on its own whether two rows are the same.
    #[diesel(sql_type = Bool)]
    decides: bool,
}

/// The indexes of a table, and whether rows may be written in another order than the file's.
#[derive(Debug)]
pub(super) struct Keys {
    keys: Vec<Key>,
    counted: bool,
}

#[derive(QueryableByName)]
struct Found {
    #[diesel(sql_type = Bool)]
    found: bool,
}

/// Constraints are checked by the statement that breaks them.
pub(super) fn check_at_once(connection: &mut Session) -> Result<(), Failure> {
    connection
        .batch_execute("SET CONSTRAINTS ALL IMMEDIATE")
        .map_err(|error| database_failure(&error, "have constraints checked at once"))
}

/// Lets a sort have some memory, for this transaction, and spares a statement of few expressions their compilation.
pub(super) fn give_memory_to_sort(connection: &mut Session) -> QueryResult<()> {
    connection.batch_execute(&format!("SET LOCAL work_mem = '{SORT_MEMORY}'; SET LOCAL jit = off"))
}

/// Reads the table's indexes.
pub(super) fn read(connection: &mut Session, table: &Table, plan: &Plan) -> Result<Keys, Failure> {
    let failed = |error| database_failure(&error, "read the table's indexes");
    let oid = i64::from(table.oid);
    let keys = sql_query(KEYS).bind::<BigInt, _>(oid).load(connection).map_err(failed)?;
    let counted = ask(connection, COUNTED, table, plan).map_err(failed)?;
    Ok(Keys { keys, counted })
}

/// Whether a row of the file may refer to another one.
pub(super) fn refers_to_itself(
    connection: &mut Session,
    table: &Table,
    plan: &Plan,
) -> Result<bool, Failure> {
    ask(connection, REFERS, table, plan)
        .map_err(|error| database_failure(&error, "read the table's foreign keys"))
}

fn ask(connection: &mut Session, question: &str, table: &Table, plan: &Plan) -> QueryResult<bool> {
    let filled: Vec<_> = plan.columns.iter().map(|column| column.name.as_str()).collect();
    let found: Found = sql_query(question)
        .bind::<BigInt, _>(i64::from(table.oid))
        .bind::<Array<Text>, _>(filled)
        .get_result(connection)?;
    Ok(found.found)
}

/// The column of the plan that rows are sorted by: the first of the first index that the file fills. None where the database
/// numbers the rows itself, which then have the file's order, or where a column's order is unknown here.
pub(super) fn sorting(keys: &Keys, plan: &Plan) -> Option<usize> {
    if keys.counted {
        return None;
    }
    let position = |key: &Key| {
        let name = key.columns.first()?;
        plan.columns.iter().position(|column| {
            column.name == *name
                && matches!(
                    column.kind,
                    Kind::Uuid
                        | Kind::Integer(_)
                        | Kind::Text { .. }
                        | Kind::Date
                        | Kind::Timestamp(_)
                        | Kind::TimestampZone(_)
                )
        })
    };
    keys.keys.iter().find_map(position)
}

/// The key that an upsert goes by; empty where rows are only inserted.
pub(super) fn of_conflict(
    keys: &Keys,
    table: &Table,
    plan: &Plan,
    options: &ImportOptions,
) -> Result<Vec<String>, Failure> {
    let key = super::super::conflict_key(table, plan, options)?;
    if options.on_conflict == OnConflict::Error {
        return Ok(key);
    }
    let is_same = |other: &Key| {
        other.decides
            && other.columns.len() == key.len()
            && other.columns.iter().all(|column| key.contains(column))
    };
    if keys.keys.iter().any(is_same) {
        return Ok(key);
    }
    let names: Vec<_> = key.iter().map(|name| quoted(name)).collect();
    Err(Failure::named(
        FailureName::OptionsInvalid,
        format!(
            "on_conflict goes by the key ({}), but the table {:?} has no unique index on just these columns",
            names.join(", "),
            table.name
        ),
    ))
}
