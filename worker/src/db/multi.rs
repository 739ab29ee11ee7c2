//! One connection type for both databases. A module of its own, because the derive puts more beside it; under another
//! name than the rest of the crate uses, because the derive means diesel's trait by `Connection`.

/// A connection to either database.
#[derive(diesel::MultiConnection)]
#[expect(clippy::large_enum_variant, reason = "a process has few connections, and moves none of them often")]
pub enum AnyConnection {
    /// PostgreSQL.
    Postgres(crate::db::Session),
    /// SQLite.
    Sqlite(diesel::SqliteConnection),
}
