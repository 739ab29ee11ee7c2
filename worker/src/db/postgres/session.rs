//! A session with PostgreSQL: statements, COPY and transactions on one connection, each of them watched. It blocks, like
//! everything that works for an import; the driver below it is asynchronous and runs on this session's own runtime.

use std::future::Future;
use std::pin::pin;

use bytes::Bytes;
use diesel::connection::{AnsiTransactionManager, DynInstrumentation};
use diesel::pg::PgMetadataCache;
use futures_util::SinkExt as _;
use tokio::runtime::{Builder, Handle, Runtime, RuntimeFlavor};
use tokio::task::block_in_place;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{CancelToken, Client, CopyInSink, Row};

use super::error::SqlError;
use super::session_settings::{self, WayBack};
use super::watch::Watcher;
use super::{Greeting, NoSession, Target, Watch};

/// A parameter of a statement.
pub(crate) type Param<'a> = &'a (dyn ToSql + Sync);

/// A parameter with the type that the server is to take it for.
pub(crate) type TypedParam<'a> = (Param<'a>, Type);

/// What every session begins with. Statements of an import take as long as they take, and are watched; a role's own limit
/// would end them in their midst. A role's limit for locks holds: the import is then tried again. A session whose worker has
/// been frozen in a transaction does not hold its locks for ever. Beats change the import's row while its load has a
/// transaction open, whose last statement changes it as well: with another isolation it would be refused.
const SET_UP: &str = "SET TIME ZONE 'UTC'; SET statement_timeout = 0; \
                      SET idle_in_transaction_session_timeout = '15min'; \
                      SET default_transaction_isolation = 'read committed'";

/// The limit that version 14 adds: a session is idle, too, while its worker reads.
const SET_UP_14: &str = "; SET idle_session_timeout = 0";

/// The limit that version 17 adds.
const SET_UP_17: &str = "; SET transaction_timeout = 0";

/// What is said of a server that has vanished.
const SILENT: &str = "the server no longer answers; the connection to the database was given up";

/// A session with PostgreSQL. It may be used on any thread, also on one that drives a runtime, which it then holds up.
pub struct Session {
    // Dropped before the runtime that it works on.
    client: Client,
    cancel: CancelToken,
    watcher: Option<Watcher>,
    target: Target,
    greeting: Greeting,
    /// The SQLSTATE of the last statement that the server refused.
    last_code: Option<SqlState>,
    /// A COPY could not begin. The driver (tokio-postgres 0.7.18) then sends one message too many, and would take each answer
    /// for that of the statement before: nothing more is asked on this connection.
    is_out_of_step: bool,
    /// The server said nothing for so long that nothing more is asked, either.
    is_given_up: bool,
    has_ended: bool,
    /// The statements that bring the session's settings back, once they are kept.
    way_back: Option<WayBack>,
    runtime: Option<Runtime>,
    pub(super) transactions: AnsiTransactionManager,
    pub(super) instrumentation: DynInstrumentation,
    pub(super) types: PgMetadataCache,
    /// A statement of the transaction has failed, and nothing was rolled back since.
    pub(super) must_roll_back: bool,
}

impl Session {
    /// Connects. A sentence for a person where that fails, without user and password.
    pub(super) fn open(target: &Target) -> Result<Self, String> {
        let runtime =
            Builder::new_current_thread().enable_all().build().map_err(|error| error.to_string())?;
        let opened = blocking(|| {
            runtime.block_on(async {
                let (client, greeting) = target.client().await.map_err(NoSession::said)?;
                let since = |version, set| if greeting.version >= version { set } else { "" };
                let set_up = format!("{SET_UP}{}{}", since(14, SET_UP_14), since(17, SET_UP_17));
                client.batch_execute(&set_up).await.map_err(|error| SqlError::from(error).to_string())?;
                Ok::<_, String>((client, greeting))
            })
        });
        let (client, greeting) = match opened {
            Ok(opened) => opened,
            Err(why) => {
                runtime.shutdown_background();
                return Err(why);
            }
        };
        Ok(Self {
            cancel: client.cancel_token(),
            client,
            watcher: None,
            target: target.clone(),
            greeting,
            last_code: None,
            is_out_of_step: false,
            is_given_up: false,
            has_ended: false,
            way_back: None,
            runtime: Some(runtime),
            transactions: AnsiTransactionManager::default(),
            instrumentation: DynInstrumentation::none(),
            types: PgMetadataCache::new(),
            must_roll_back: false,
        })
    }

    /// The server's major version: 16.
    pub(crate) fn version(&self) -> u32 {
        self.greeting.version
    }

    /// Whether the database can store every character. One with an encoding of its own, LATIN1 for one, cannot.
    pub(crate) fn is_unicode(&self) -> bool {
        self.greeting.is_unicode
    }

    /// The SQLSTATE of the last statement that the server refused, for those whose error hides it.
    pub(crate) fn last_code(&self) -> Option<&SqlState> {
        self.last_code.as_ref()
    }

    /// Whether the connection broke, or the server ended the session.
    pub(crate) fn has_ended(&self) -> bool {
        self.has_ended
    }

    /// Whether a COPY could not begin, after which nothing can be asked any more.
    pub(crate) fn is_out_of_step(&self) -> bool {
        self.is_out_of_step
    }

    /// From now on, every statement that takes long is watched.
    ///
    /// # Errors
    /// Where the session's process id cannot be had.
    pub(super) fn watch(&mut self, watch: Watch) -> Result<(), SqlError> {
        let pid = self.query("SELECT pg_catalog.pg_backend_pid()", &[])?;
        let pid = pid.first().and_then(|row| row.try_get(0).ok()).unwrap_or(0);
        self.watcher = Some(Watcher::new(watch, self.target.clone(), pid));
        Ok(())
    }

    /// From now on, a savepoint that is released leaves the session's settings as they are now: see [`kept`].
    ///
    /// # Errors
    /// Where they cannot be asked for.
    pub(crate) fn keep_settings(&mut self) -> Result<(), SqlError> {
        self.way_back = Some(session_settings::way_back(self)?);
        Ok(())
    }

    /// Has deferred constraints checked: those of the rows before, those of each statement from now on, and what a trigger defers
    /// where settings are kept.
    pub(crate) fn check_constraints(&mut self) -> Result<(), SqlError> {
        self.batch(session_settings::IMMEDIATE)?;
        if let Some(way_back) = &mut self.way_back {
            way_back.check = session_settings::IMMEDIATE.to_owned();
        }
        Ok(())
    }

    /// Has the deferred constraints of a table checked behind each savepoint, and not before: a trigger may write what a row needs.
    /// Those of other tables are checked at once.
    pub(crate) fn check_constraints_behind(&mut self, table: u32) -> Result<(), SqlError> {
        self.check_constraints()?;
        let rows = self.query(session_settings::DEFERRED, &[(&i64::from(table), Type::INT8)])?;
        let names: Option<String> = rows.first().map_or(Ok(None), |row| row.try_get(0))?;
        let (Some(names), Some(way_back)) = (names, &mut self.way_back) else { return Ok(()) };
        let wait = format!("SET CONSTRAINTS {names} DEFERRED; ");
        way_back.check.push_str(&wait);
        self.batch(&wait)
    }

    /// Runs statements that take no parameters and return nothing.
    pub(crate) fn batch(&mut self, sql: &str) -> Result<(), SqlError> {
        self.drive(async |client| client.batch_execute(sql).await)
    }

    /// Runs a statement, and returns how many rows it wrote.
    pub(crate) fn execute(&mut self, sql: &str, parameters: &[TypedParam<'_>]) -> Result<u64, SqlError> {
        self.drive(async |client| client.execute_typed(sql, parameters).await)
    }

    /// Runs a statement, and returns its rows.
    pub(crate) fn query(&mut self, sql: &str, parameters: &[TypedParam<'_>]) -> Result<Vec<Row>, SqlError> {
        self.drive(async |client| client.query_typed(sql, parameters).await)
    }

    /// Begins a COPY into a table. It is broken off where it is dropped before its end. Where it cannot begin (a permission
    /// is missing, a lock was not had), the session is of no use any more: its transaction ends with it.
    pub(crate) fn copy_in(&mut self, sql: &str) -> Result<CopyIn<'_>, SqlError> {
        match self.drive(async |client| client.copy_in(sql).await) {
            Ok(sink) => Ok(CopyIn { session: self, sink: Box::pin(sink) }),
            Err(error) => {
                self.is_out_of_step = true;
                Err(error)
            }
        }
    }

    /// Does `work` behind a savepoint, which is released when that ends: where it fails, all that it did is undone. A
    /// savepoint that is not released would make each later one lie deeper. Settings that are kept are as before at its end; that
    /// the transaction only reads, which cannot be taken back, ends with the savepoint by itself.
    pub(crate) fn in_savepoint<T, E: From<SqlError>>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, E>,
    ) -> Result<T, E> {
        self.batch("SAVEPOINT baton")?;
        let done = work(self).and_then(|done| self.release().map(|()| done).map_err(E::from));
        if done.is_err() {
            // Where this fails the connection is gone, and with it the transaction; the first error says more.
            let _ = self.batch("ROLLBACK TO SAVEPOINT baton; RELEASE SAVEPOINT baton");
        }
        done
    }

    fn release(&mut self) -> Result<(), SqlError> {
        let way_back = self.way_back.as_ref().map(|way_back| format!("{}; ", way_back.sql()));
        self.batch(&format!("{}RELEASE SAVEPOINT baton", way_back.unwrap_or_default()))
    }

    /// Statements of PL/pgSQL that bring the settings back which are kept, for a block that writes rows behind savepoints of
    /// its own.
    pub(crate) fn way_back_in_block(&self) -> String {
        self.way_back.as_ref().map(WayBack::plpgsql).unwrap_or_default()
    }

    /// The one way to the server: runs what `ask` asks of it, and watches meanwhile.
    fn drive<T: Send>(
        &mut self,
        ask: impl AsyncFnOnce(&Client) -> Result<T, tokio_postgres::Error> + Send,
    ) -> Result<T, SqlError> {
        let Self {
            client, cancel, watcher, runtime, last_code, is_out_of_step, is_given_up, has_ended, ..
        } = self;
        let lost = |why: &str| SqlError::Lost(why.to_owned());
        let Some(runtime) = runtime.as_ref().filter(|_| !*is_out_of_step && !*is_given_up) else {
            let why = if *is_given_up {
                SILENT
            } else {
                "the connection was given up after a COPY that could not begin"
            };
            return Err(lost(why));
        };
        let watching = watcher.as_mut();
        let Some(answer) = blocking(|| runtime.block_on(watched(ask(client), watching, cancel))) else {
            (*is_given_up, *has_ended) = (true, true);
            return Err(lost(SILENT));
        };
        answer.map_err(|error| {
            if let Some(code) = error.code() {
                *last_code = Some(code.clone());
            }
            let is_cancelled = error.code() == Some(&SqlState::QUERY_CANCELED);
            if let Some(watcher) = watcher.as_mut().filter(|_| is_cancelled) {
                if watcher.is_to_stop() {
                    return SqlError::Stopped;
                }
                if let Some(why) = watcher.held.take() {
                    return SqlError::Held(why);
                }
            }
            let error = SqlError::from(error);
            *has_ended |= error.ends_session();
            error
        })
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // Also on a thread that drives another runtime, where waiting is not allowed.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Rows on their way to the server.
pub(crate) struct CopyIn<'a> {
    session: &'a mut Session,
    sink: std::pin::Pin<Box<CopyInSink<Bytes>>>,
}

impl CopyIn<'_> {
    /// Sends some of the rows' bytes. Returns when the server, or the network's buffers, have taken what was sent before.
    pub(crate) fn send(&mut self, bytes: Bytes) -> Result<(), SqlError> {
        let Self { session, sink } = self;
        session.drive(async |_| sink.feed(bytes).await)
    }

    /// Ends the COPY. Returns how many rows the server took: those that a trigger leaves out are not among them.
    pub(crate) fn finish(self) -> Result<u64, SqlError> {
        let Self { session, mut sink } = self;
        session.drive(async |_| sink.as_mut().finish().await)
    }
}

/// The answer to a statement; none where the server has vanished.
async fn watched<T>(
    statement: impl Future<Output = Result<T, tokio_postgres::Error>>,
    watcher: Option<&mut Watcher>,
    cancel: &CancelToken,
) -> Option<Result<T, tokio_postgres::Error>> {
    let Some(watcher) = watcher else { return Some(statement.await) };
    tokio::select! {
        biased;
        answer = pin!(statement) => Some(answer),
        () = watcher.run(cancel) => None,
    }
}

/// Does what blocks, whatever this thread does otherwise. One that drives a runtime by itself alone may not wait; another
/// thread does it then.
fn blocking<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    match Handle::try_current().map(|handle| handle.runtime_flavor()) {
        Ok(RuntimeFlavor::MultiThread) => block_in_place(work),
        Ok(_) => std::thread::scope(|scope| scope.spawn(work).join())
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
        Err(_) => work(),
    }
}
