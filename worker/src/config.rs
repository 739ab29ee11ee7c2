//! Temporary: overwritten at the merge.

/// The tables that may be written.
#[derive(Clone, Debug, Default)]
pub struct AllowedTables(Vec<String>);

impl AllowedTables {
    /// A list of names; `*` allows all.
    ///
    /// # Errors
    /// None.
    pub fn parse(text: &str) -> Result<Self, String> {
        Ok(Self(text.split(',').map(str::to_owned).collect()))
    }

    /// Whether this table may be written.
    #[must_use]
    pub fn allows(&self, table: &str) -> bool {
        self.0.iter().any(|name| name == "*" || name == table)
    }
}
