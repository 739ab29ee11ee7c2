//! Diesel's queries on a [`Session`]: the driver's side of diesel's `Connection`. Diesel builds the SQL and reads the
//! values; what goes over the wire, and what an error means, is the session's.

use std::error::Error as StdError;

use bytes::BytesMut;
use diesel::connection::{
    AnsiTransactionManager, CacheSize, Connection, ConnectionSealed, Instrumentation, LoadConnection,
    MultiConnectionHelper, SimpleConnection, TransactionManager as _,
};
use diesel::expression::QueryMetadata;
use diesel::pg::{GetPgMetadataCache, Pg, PgMetadataCache, PgMetadataLookup, PgQueryBuilder};
use diesel::query_builder::bind_collector::RawBytesBindCollector;
use diesel::query_builder::{Query, QueryBuilder as _, QueryFragment, QueryId};
use diesel::result::Error;
use diesel::sql_types::TypeMetadata;
use diesel::{ConnectionError, ConnectionResult, QueryResult};
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};

use super::error::SqlError;
use super::names::qualified;
use super::row::SessionRow;
use super::session::{Session, TypedParam};

/// A statement of diesel's, ready to be sent.
struct Statement {
    sql: String,
    binds: Vec<(Bind, Type)>,
}

/// A value in its type's binary form, as diesel has written it.
#[derive(Debug)]
struct Bind(Option<Vec<u8>>);

impl ToSql for Bind {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn StdError + Sync + Send>> {
        let Some(bytes) = &self.0 else { return Ok(IsNull::Yes) };
        out.extend_from_slice(bytes);
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

impl Session {
    fn statement(&mut self, source: &impl QueryFragment<Pg>) -> QueryResult<Statement> {
        let mut builder = PgQueryBuilder::default();
        source.to_sql(&mut builder, &Pg)?;
        let mut collector = RawBytesBindCollector::<Pg>::new();
        source.collect_binds(&mut collector, self as &mut dyn PgMetadataLookup, &Pg)?;
        let mut binds = Vec::with_capacity(collector.binds.len());
        for (bytes, metadata) in collector.binds.into_iter().zip(&collector.metadata) {
            let oid = metadata.oid().map_err(|error| Error::SerializationError(Box::new(error)))?;
            let type_ = Type::from_oid(oid).ok_or_else(|| {
                Error::SerializationError(
                    format!("a parameter is of the type {oid}, which is not built in").into(),
                )
            })?;
            binds.push((Bind(bytes), type_));
        }
        Ok(Statement { sql: qualified(builder.finish()), binds })
    }

    /// Sends what `ask` asks for. A transaction in which a statement has failed can only be rolled back: PostgreSQL would
    /// answer its COMMIT by a rollback, and call that a success.
    fn answer<T>(&mut self, ask: impl FnOnce(&mut Self) -> Result<T, SqlError>) -> QueryResult<T> {
        let answer = ask(self);
        self.must_roll_back |= answer.is_err();
        let status = AnsiTransactionManager::transaction_manager_status_mut(self);
        match &answer {
            Err(SqlError::Lost(_)) => status.set_in_error(),
            Err(_) => status.set_requires_rollback_maybe_up_to_top_level(true),
            Ok(_) => {}
        }
        Ok(answer?)
    }
}

impl Statement {
    fn parameters(&self) -> Vec<TypedParam<'_>> {
        self.binds.iter().map(|(bind, type_)| (bind as _, type_.clone())).collect()
    }
}

impl SimpleConnection for Session {
    fn batch_execute(&mut self, query: &str) -> QueryResult<()> {
        if query == "COMMIT" && self.must_roll_back {
            return Err(Error::RollbackTransaction);
        }
        self.answer(|session| session.batch(&qualified(query.to_owned())))?;
        // A transaction begins without a failure, and goes on behind one that was undone.
        if query.starts_with("ROLLBACK") || query.starts_with("BEGIN") {
            self.must_roll_back = false;
            AnsiTransactionManager::transaction_manager_status_mut(self)
                .set_requires_rollback_maybe_up_to_top_level(false);
        }
        Ok(())
    }
}

impl ConnectionSealed for Session {}

impl Connection for Session {
    type Backend = Pg;
    type TransactionManager = AnsiTransactionManager;

    fn establish(_: &str) -> ConnectionResult<Self> {
        // A URL is read by `Database::parse`, which says what is wrong with it and no password.
        Err(ConnectionError::BadConnection("a session is opened by Database::connect".to_owned()))
    }

    fn execute_returning_count<T>(&mut self, source: &T) -> QueryResult<usize>
    where
        T: QueryFragment<Pg> + QueryId,
    {
        let statement = self.statement(source)?;
        let rows = self.answer(|session| session.execute(&statement.sql, &statement.parameters()))?;
        usize::try_from(rows).map_err(|error| Error::DeserializationError(Box::new(error)))
    }

    fn transaction_state(&mut self) -> &mut AnsiTransactionManager {
        &mut self.transactions
    }

    fn instrumentation(&mut self) -> &mut dyn Instrumentation {
        &mut *self.instrumentation
    }

    fn set_instrumentation(&mut self, instrumentation: impl Instrumentation) {
        self.instrumentation = instrumentation.into();
    }

    fn set_prepared_statement_cache_size(&mut self, _: CacheSize) {
        // Statements are not prepared: each is sent once, or few times.
    }
}

impl LoadConnection for Session {
    type Cursor<'conn, 'query> = std::iter::Map<
        std::vec::IntoIter<tokio_postgres::Row>,
        fn(tokio_postgres::Row) -> QueryResult<SessionRow>,
    >;
    type Row<'conn, 'query> = SessionRow;

    fn load<'conn, 'query, T>(&'conn mut self, source: T) -> QueryResult<Self::Cursor<'conn, 'query>>
    where
        T: Query + QueryFragment<Pg> + QueryId + 'query,
        Pg: QueryMetadata<T::SqlType>,
    {
        let statement = self.statement(&source)?;
        let rows = self.answer(|session| session.query(&statement.sql, &statement.parameters()))?;
        Ok(rows.into_iter().map(|row| Ok(SessionRow(row))))
    }
}

impl GetPgMetadataCache for Session {
    fn get_metadata_cache(&mut self) -> &mut PgMetadataCache {
        &mut self.types
    }
}

impl MultiConnectionHelper for Session {
    fn to_any<'a>(lookup: &mut <Pg as TypeMetadata>::MetadataLookup) -> &mut (dyn std::any::Any + 'a) {
        lookup.as_any()
    }

    fn from_any(lookup: &mut dyn std::any::Any) -> Option<&mut <Pg as TypeMetadata>::MetadataLookup> {
        lookup.downcast_mut::<Self>().map(|session| session as &mut dyn PgMetadataLookup)
    }
}
