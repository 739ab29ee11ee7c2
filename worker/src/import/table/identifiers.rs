//! A name of a table as SQL writes it: with a schema in front, either of them in quotes.

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
}
