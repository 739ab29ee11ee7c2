//! Where Baton's own tables are. diesel knows a table by one name, and SQLite has no schemas: there they are called `baton_jobs` and
//! so on. In PostgreSQL they have a schema of their own, `baton_ledger`, and every statement names it: what a search_path leads
//! to is the import's alone. A schema that is called as a role is that role's first one: `baton` would be for a role `baton`.

/// Their names in SQLite, as diesel writes them, and here.
const NAMES: [(&str, &str); 4] = [
    ("\"baton_jobs\"", "\"baton_ledger\".\"jobs\""),
    ("\"baton_attempts\"", "\"baton_ledger\".\"attempts\""),
    ("\"baton_imported_files\"", "\"baton_ledger\".\"imported_files\""),
    ("\"baton_migrations\"", "\"baton_ledger\".\"migrations\""),
];

/// A statement of diesel's with Baton's tables where they are: whoever writes one himself names them as SQLite does, in quotes. Values
/// are no part of a statement: they are bound.
pub(super) fn qualified(sql: String) -> String {
    NAMES.iter().fold(sql, |sql, (name, qualified)| match sql.contains(name) {
        true => sql.replace(name, qualified),
        false => sql,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batons_tables_are_named_with_their_schema() {
        let of = |sql: &str| qualified(sql.to_owned());
        assert_eq!(
            of(r#"UPDATE "baton_jobs" SET "status" = $1 WHERE ("baton_jobs"."id" = $2)"#),
            r#"UPDATE "baton_ledger"."jobs" SET "status" = $1 WHERE ("baton_ledger"."jobs"."id" = $2)"#
        );
        for other in [r#"SELECT "people"."name" FROM "people""#, r#"SELECT 1 FROM "baton_people""#] {
            assert_eq!(of(other), other);
        }
    }
}
