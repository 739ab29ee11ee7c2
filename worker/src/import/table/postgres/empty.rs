//! Whether the empty text is a value of a type that only the server reads, and what the server writes for it: it is one of
//! `tsvector` and none of `inet`; `money` reads it as 0, which nobody means by it. Nobody but the server knows, so it is asked,
//! once for all columns of such types.

use super::super::Column;
use crate::db::Session;
use crate::import::value::Kind;

/// Asks for the columns of such types. Where the server does not answer, none of them has an empty value.
pub(super) fn find(session: &mut Session, columns: &mut [Column]) {
    let is_opaque = |column: &Column| column.kind.as_ref().is_some_and(Kind::is_opaque);
    let opaque: Vec<_> = columns.iter_mut().filter(|column| is_opaque(column)).collect();
    if opaque.is_empty() {
        return;
    }
    let types: Vec<_> = opaque.iter().map(|column| literal(&column.base_type)).collect();
    let body = format!(
        "DECLARE type_name text; answer text := ''; BEGIN
         FOREACH type_name IN ARRAY ARRAY[{}] LOOP
             BEGIN
                 -- An assignment, which cuts and pads nothing.
                 EXECUTE format('DO %L', 'DECLARE v ' || type_name || ' := ''''::text; BEGIN '
                     || 'IF pg_catalog.format(''%s'', v) <> '''' THEN RAISE ''another value''; END IF; END');
                 answer := answer || 't';
             EXCEPTION WHEN OTHERS THEN answer := answer || 'f';
             END;
         END LOOP;
         PERFORM pg_catalog.set_config('baton.takes_empty', answer, false); END",
        types.join(", ")
    );
    let answer: Option<String> = session
        .batch(&format!("DO {}", literal(&body)))
        .and_then(|()| session.query("SELECT pg_catalog.current_setting('baton.takes_empty', true)", &[]))
        .ok()
        .and_then(|rows| rows.first()?.try_get(0).ok()?);
    for (column, takes) in opaque.into_iter().zip(answer.unwrap_or_default().bytes()) {
        column.takes_empty = takes == b't';
    }
}

/// A text as a literal of SQL, however the server is told to read backslashes.
fn literal(text: &str) -> String {
    format!("E'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}
