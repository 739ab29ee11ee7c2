//! What a name means to PostgreSQL, and whether rows can be written to it. A name is taken as it stands: with its schema in
//! front, or along the search path; a dot may be part of either. In quotes it is read as SQL reads it.

use diesel::sql_types::{BigInt, Bool, Integer, Nullable, Text};
use diesel::{QueryableByName, RunQueryDsl as _, sql_query};

use super::super::Found;
use super::super::identifiers::{identifiers, in_postgres};
use crate::db::failure::database_failure;
use crate::db::{OWN_TABLES, Session};
use crate::failure::Failure;

/// `$1` the name as it stands; `$2` and `$3` the schema, or NULL, and the name that it is as SQL, or NULL; `$4` Baton's own.
/// 8 is the bit of INSERT.
const FIND: &str = "\
SELECT c.oid::bigint AS oid, quote_ident(n.nspname) || '.' || quote_ident(c.relname) AS full_name, n.nspname::text AS schema,
       c.relname::text AS name, c.relkind::text AS kind,
       pg_catalog.current_setting('server_version_num')::int AS server,
       n.nspname = 'baton_ledger' AND 'baton_' || c.relname = ANY (string_to_array($4, ',')) AS is_own,
       CASE WHEN c.relkind IN ('v', 'f') THEN pg_catalog.pg_relation_is_updatable(c.oid, true) & 8 <> 0 ELSE true END
         AS takes_rows,
       (SELECT w.fdwname::text FROM pg_catalog.pg_foreign_table f JOIN pg_catalog.pg_foreign_server s ON s.oid = f.ftserver
        JOIN pg_catalog.pg_foreign_data_wrapper w ON w.oid = s.srvfdw WHERE f.ftrelid = c.oid) AS wrapper,
       (SELECT r.rulename::text FROM pg_catalog.pg_rewrite r WHERE r.ev_class = c.oid AND r.ev_type = '3'
        AND r.ev_enabled IN ('O', 'A') ORDER BY 1 LIMIT 1) AS rule
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND (
  (c.relname::text = $1 AND pg_catalog.pg_table_is_visible(c.oid)) OR n.nspname::text || '.' || c.relname::text = $1
  OR (c.relname::text = $3 AND CASE WHEN $2 IS NULL THEN pg_catalog.pg_table_is_visible(c.oid) ELSE n.nspname::text = $2 END))
ORDER BY 2";

const OTHERS: &str = "\
SELECT CASE WHEN pg_catalog.pg_table_is_visible(c.oid) THEN c.relname::text
            ELSE n.nspname::text || '.' || c.relname::text END AS name
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'f') AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'baton_ledger')
ORDER BY 1 LIMIT 10000";

/// What a name means.
#[derive(QueryableByName)]
pub(super) struct Named {
    #[diesel(sql_type = BigInt)]
    pub(super) oid: i64,
    #[diesel(sql_type = Text)]
    full_name: String,
    #[diesel(sql_type = Text)]
    pub(super) schema: String,
    #[diesel(sql_type = Text)]
    pub(super) name: String,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Integer)]
    pub(super) server: i32,
    #[diesel(sql_type = Bool)]
    is_own: bool,
    #[diesel(sql_type = Bool)]
    takes_rows: bool,
    #[diesel(sql_type = Nullable<Text>)]
    wrapper: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    rule: Option<String>,
}

#[derive(QueryableByName)]
struct NameRow {
    #[diesel(sql_type = Text)]
    name: String,
}

/// Finds what a name means. The inner error is why no rows can be written there.
pub(super) fn find(connection: &mut Session, name: &str) -> Result<Result<Named, Found>, Failure> {
    let failed = |error| database_failure(&error, "find the table");
    let (schema, bare) = match identifiers(name) {
        Some((schema, bare)) => (schema, Some(bare)),
        None => (None, None),
    };
    let mut found = sql_query(FIND)
        .bind::<Text, _>(name)
        .bind::<Nullable<Text>, _>(schema)
        .bind::<Nullable<Text>, _>(bare)
        .bind::<Text, _>(OWN_TABLES.join(","))
        .load::<Named>(connection)
        .map_err(failed)?;
    if found.len() > 1 {
        let names: Vec<_> = found.iter().map(|named| named.full_name.as_str()).collect();
        let why =
            format!("the name of {}; write the one that is meant as it stands here", names.join(" and of "));
        return Ok(Err(Found::Unwritable { why }));
    }
    let Some(named) = found.pop() else {
        // Also where nothing of this name is there: `pg_temp` is another schema in each session.
        if in_postgres(name).and_then(|(schema, _)| schema).is_some_and(|schema| is_of_the_server(&schema)) {
            return Ok(Err(Found::Reserved));
        }
        let others = sql_query(OTHERS).load::<NameRow>(connection).map_err(failed)?;
        return Ok(Err(Found::Missing { others: others.into_iter().map(|row| row.name).collect() }));
    };
    if named.is_own || is_of_the_server(&named.schema) {
        return Ok(Err(Found::Reserved));
    }
    Ok(match why_not(&named) {
        Some(why) => Err(Found::Unwritable { why }),
        None => Ok(named),
    })
}

/// Why no rows can be written to it, and what to do: continues "it is".
fn why_not(named: &Named) -> Option<String> {
    let Named { kind, takes_rows, wrapper, rule, .. } = named;
    if let Some(rule) = rule {
        return Some(format!(
            "a table or view with a rule ON INSERT ({rule}), which PostgreSQL's COPY does not run; make a trigger of it, or import \
             into the table that the rule writes to"
        ));
    }
    match kind.as_str() {
        "m" => Some(
            "a materialized view; import into the tables that it reads, then run REFRESH MATERIALIZED VIEW".to_owned(),
        ),
        "v" if !takes_rows => Some(
            "a view that PostgreSQL cannot insert into, and that has no trigger INSTEAD OF INSERT; import into the table behind \
             it, or create such a trigger"
                .to_owned(),
        ),
        "f" if !takes_rows => Some(format!(
            "a foreign table that takes no rows (its server or wrapper {} does not write); import into a table of this database",
            wrapper.as_deref().unwrap_or_default()
        )),
        _ => None,
    }
}

/// Whether a schema is the server's. In another case it is anybody's.
fn is_of_the_server(schema: &str) -> bool {
    schema.starts_with("pg_") || schema == "information_schema"
}
