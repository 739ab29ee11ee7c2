//! A name of a table as an import gives it: as SQL writes it, with a schema in front, either of them in quotes; or as it stands.
//! What has no table yet is read here by the same rules that find a table, so that an import finds what is made for it.

/// A name in SQL, at least a part of it in quotes: `"a.b"`, `sales."a.b"`. What is not in quotes stays as it is.
pub(super) fn identifiers(name: &str) -> Option<(Option<String>, String)> {
    let (first, rest) = identifier(name)?;
    let parts = match rest.strip_prefix('.') {
        None if rest.is_empty() => (None, first),
        None => return None,
        Some(rest) => match identifier(rest)? {
            (second, "") => (Some(first), second),
            _ => return None,
        },
    };
    name.contains('"').then_some(parts)
}

/// What a table of PostgreSQL with this name is to be: its schema, if the name has one, and its own name. A name without
/// quotes has its schema before the first dot. `None` for quotation marks that make no name.
pub(crate) fn in_postgres(name: &str) -> Option<(Option<String>, String)> {
    let as_it_stands = || match name.split_once('.') {
        Some((schema, bare)) if !schema.is_empty() && !bare.is_empty() => {
            (Some(schema.to_owned()), bare.to_owned())
        }
        _ => (None, name.to_owned()),
    };
    identifiers(name).or_else(|| (!has_quotation_marks(name)).then(as_it_stands))
}

/// The same in SQLite, where a dot is part of the name, unless the schema before it is the only one: `main`.
pub(crate) fn in_sqlite(name: &str) -> Option<(Option<String>, String)> {
    let as_it_stands = || match behind_main(name) {
        Some(bare) => (Some("main".to_owned()), bare.to_owned()),
        None => (None, name.to_owned()),
    };
    identifiers(name).or_else(|| (!has_quotation_marks(name)).then(as_it_stands))
}

/// What stands behind the schema `main`, in any case.
pub(super) fn behind_main(name: &str) -> Option<&str> {
    let (schema, bare) = name.split_once('.')?;
    (schema.eq_ignore_ascii_case("main") && !bare.is_empty()).then_some(bare)
}

fn has_quotation_marks(name: &str) -> bool {
    name.contains(['"', '`'])
}

/// The first identifier of a text, and what follows it.
fn identifier(text: &str) -> Option<(String, &str)> {
    let Some(mut rest) = text.strip_prefix('"') else {
        let end = text.find('.').unwrap_or(text.len());
        let (plain, rest) = text.split_at_checked(end)?;
        return (!plain.is_empty() && !plain.contains('"')).then(|| (plain.to_owned(), rest));
    };
    let mut name = String::new();
    loop {
        let (part, behind) = rest.split_once('"')?;
        name.push_str(part);
        match behind.strip_prefix('"') {
            Some(more) => {
                name.push('"');
                rest = more;
            }
            None => return (!name.is_empty()).then_some((name, behind)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_quotes_are_read_as_sql_reads_them() {
        let read = |name: &str| identifiers(name).map(|(schema, name)| (schema.unwrap_or_default(), name));
        let of = |schema: &str, name: &str| Some((schema.to_owned(), name.to_owned()));
        assert_eq!(read("\"a.b\""), of("", "a.b"));
        assert_eq!(read("sales.\"a.b\""), of("sales", "a.b"));
        assert_eq!(read("\"Sal.es\".Orders"), of("Sal.es", "Orders"));
        assert_eq!(read("\"a\"\"b\""), of("", "a\"b"));
        for name in ["a.b", "a", "", "\"a", "\"a\"b", "\"\"", "a.\"b\".c", "we\"ird"] {
            assert_eq!(read(name), None, "{name}");
        }
    }

    #[test]
    fn a_name_for_a_new_table_is_read_as_one_that_is_there() {
        let of = |schema: Option<&str>, name: &str| Some((schema.map(str::to_owned), name.to_owned()));
        for (name, postgres, sqlite) in [
            ("people", of(None, "people"), of(None, "people")),
            ("Foo.bar", of(Some("Foo"), "bar"), of(None, "Foo.bar")),
            ("a.b.c", of(Some("a"), "b.c"), of(None, "a.b.c")),
            ("my table", of(None, "my table"), of(None, "my table")),
            ("Main.t.u", of(Some("Main"), "t.u"), of(Some("main"), "t.u")),
            (".a", of(None, ".a"), of(None, ".a")),
            ("main.", of(None, "main."), of(None, "main.")),
            ("\"a.b\"", of(None, "a.b"), of(None, "a.b")),
            ("main.\"a`b\"", of(Some("main"), "a`b"), of(Some("main"), "a`b")),
        ] {
            assert_eq!((in_postgres(name), in_sqlite(name)), (postgres, sqlite), "{name}");
        }
        for name in ["\"a", "a\"", "\"\"", "\"a\"b", "a.\"b\".c", "`a`", "we\"ird"] {
            assert_eq!((in_postgres(name), in_sqlite(name)), (None, None), "{name}");
        }
    }
}
