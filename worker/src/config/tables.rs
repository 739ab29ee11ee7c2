//! Which tables imports may write. A message names its table, and whoever may send a message must not thereby be able
//! to write anywhere.

use crate::db::is_own;

/// The tables that imports may write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AllowedTables(Names);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Names {
    Every,
    Only(Vec<String>),
}

impl AllowedTables {
    /// Reads a list of exact names, `people,sales.orders`, or `*` for every table.
    ///
    /// # Errors
    /// A sentence, where the list is empty or names a table that is never allowed.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.trim() == "*" {
            return Ok(Self(Names::Every));
        }
        let names: Vec<_> =
            text.split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect();
        if names.is_empty() {
            return Err("names no table; list the tables that imports may write, or say *".to_owned());
        }
        if names.iter().any(|name| name.contains('*')) {
            return Err("has a * beside other characters; only * alone means every table".to_owned());
        }
        match names.iter().find(|name| match name.split_once('.') {
            Some((schema, table)) => is_own(schema, table),
            None => is_own("", name),
        }) {
            Some(name) => Err(format!("names {name}, which is Baton's own and never written")),
            None => Ok(Self(Names::Only(names))),
        }
    }

    /// Whether imports may write this table. Names are compared as they are: `people` does not allow `public.people`.
    /// Whether it is Baton's own or the database's own the database tells, which knows what a name means.
    #[must_use]
    pub fn allows(&self, table: &str) -> bool {
        match &self.0 {
            Names::Every => true,
            Names::Only(names) => names.iter().any(|name| name == table),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_exact_names_are_allowed() {
        let allowed = AllowedTables::parse("people, sales.orders").unwrap();
        assert!(allowed.allows("people") && allowed.allows("sales.orders"));
        for table in ["", "People", "public.people", "orders", "people,sales.orders", "people "] {
            assert!(!allowed.allows(table), "{table} was allowed");
        }
    }

    #[test]
    fn a_star_allows_every_table() {
        let allowed = AllowedTables::parse("*").unwrap();
        assert!(allowed.allows("people") && allowed.allows("sales.imports"));
    }

    #[test]
    fn a_list_that_cannot_be_meant_is_refused() {
        for text in ["", " , ", "people,baton_jobs", "baton_ledger.jobs", "sales.*", "people,*"] {
            assert!(AllowedTables::parse(text).is_err(), "{text:?} was accepted");
        }
    }
}
