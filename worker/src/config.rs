//! The only reader of the environment.

/// The tables that imports may write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AllowedTables {
    /// `None` allows every table.
    names: Option<Vec<String>>,
}

impl AllowedTables {
    /// Whether imports may write this table. Baton's own and the database's own are never allowed.
    #[must_use]
    pub fn allows(&self, table: &str) -> bool {
        self.names.as_ref().is_none_or(|names| names.iter().any(|name| name == table))
    }
}
