//! A session against a real server: what is watched, what is cancelled, what a failure leaves behind.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use diesel::Connection as _;
use diesel::connection::SimpleConnection as _;
use tokio_postgres::types::Type;

use super::*;
use crate::cluster;
use crate::db::postgres::error::SqlError;
use crate::db::{Connection, Database};

fn sessions<const N: usize>() -> [Session; N] {
    let database = Database::parse(&cluster::create_database()).unwrap();
    std::array::from_fn(|_| match database.connect().unwrap() {
        Connection::Postgres(session) => session,
        Connection::Sqlite(_) => unreachable!(),
    })
}

/// How often the session was found at work, and whether it is to stop.
#[derive(Clone, Default)]
struct Seen(Arc<(AtomicUsize, AtomicBool)>);

impl Seen {
    fn of(session: &mut Session) -> Self {
        let seen = Self::default();
        let (at_work, stop) = (seen.clone(), seen.clone());
        let watch = Watch::new(
            move || {
                at_work.0.0.fetch_add(1, Relaxed);
            },
            move || stop.0.1.load(Relaxed),
        );
        session.watch(watch).unwrap();
        seen
    }

    fn looks(&self) -> usize {
        self.0.0.load(Relaxed)
    }

    fn stop_after(&self, time: Duration) {
        let seen = self.clone();
        let (_never, ended) = std::sync::mpsc::channel::<()>();
        std::thread::spawn(move || {
            let _ = ended.recv_timeout(time);
            seen.0.1.store(true, Relaxed);
        });
    }
}

#[test]
fn a_long_statement_is_seen_to_be_at_work() {
    let [mut session] = sessions();
    let seen = Seen::of(&mut session);
    session.batch("SELECT 1").unwrap();
    assert_eq!(seen.looks(), 0);
    session.batch("SELECT pg_sleep(3)").unwrap();
    assert!(seen.looks() > 0);
}

/// Passes bytes to and from the server at an address, until `is_silent`. Whoever connects then gets no answer.
fn silenceable(server: String, is_silent: Arc<AtomicBool>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let pass = move |mut from: TcpStream, mut to: TcpStream, is_silent: Arc<AtomicBool>| {
        let mut bytes = [0; 4096];
        while let Ok(read @ 1..) = from.read(&mut bytes) {
            if is_silent.load(Relaxed) {
                // Both ends stay open.
                std::thread::park();
            }
            to.write_all(&bytes[..read]).unwrap();
        }
    };
    std::thread::spawn(move || {
        for client in listener.incoming() {
            let (client, server) = (client.unwrap(), TcpStream::connect(&server).unwrap());
            let back = (server.try_clone().unwrap(), client.try_clone().unwrap(), Arc::clone(&is_silent));
            let there = (client, server, Arc::clone(&is_silent));
            std::thread::spawn(move || pass(there.0, there.1, there.2));
            std::thread::spawn(move || pass(back.0, back.1, back.2));
        }
    });
    port
}

#[test]
fn a_server_that_answers_nobody_is_given_up_and_asked_nothing_more() {
    let url = cluster::create_database();
    let (place, name) = url.rsplit_once('/').unwrap();
    let (login, server) = place.rsplit_once('@').unwrap();
    let is_silent = Arc::new(AtomicBool::new(false));
    let port = silenceable(server.to_owned(), Arc::clone(&is_silent));
    let database = Database::parse(&format!("{login}@127.0.0.1:{port}/{name}")).unwrap();
    let watch = Watch::new(|| {}, || false).giving_up_after(Duration::from_secs(2));
    let Connection::Postgres(mut session) = database.connect_watched(watch).unwrap() else { unreachable!() };
    session.batch("SELECT pg_sleep(3)").unwrap();
    is_silent.store(true, Relaxed);
    for _ in 0..2 {
        let error = session.batch("SELECT 1").unwrap_err();
        assert!(matches!(&error, SqlError::Lost(why) if why.contains("no longer answers")), "{error:?}");
        assert!(session.has_ended());
    }
}

#[test]
fn waiting_for_a_lock_is_work_while_its_holder_works() {
    let [mut holder, mut session] = sessions();
    let seen = Seen::of(&mut session);
    holder.batch("SELECT pg_advisory_lock(1)").unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| holder.batch("SELECT pg_sleep(3), pg_advisory_unlock(1)").unwrap());
        session.batch("SELECT pg_advisory_lock(1)").unwrap();
    });
    assert!(seen.looks() > 0);
}

#[test]
fn waiting_for_an_idle_lock_holder_is_no_work_and_is_cancelled() {
    let [mut holder, mut session] = sessions();
    let seen = Seen::of(&mut session);
    holder.batch("SELECT pg_advisory_lock(2)").unwrap();
    seen.stop_after(Duration::from_millis(2_500));
    let error = session.batch("SELECT pg_advisory_lock(2)").unwrap_err();
    assert!(matches!(error, SqlError::Stopped), "{error}");
    assert_eq!(seen.looks(), 0);
}

#[test]
fn a_wait_for_an_idle_lock_holder_ends_and_names_the_holder() {
    let [mut holder, mut session] = sessions();
    let watch = Watch::new(|| {}, || false).waiting_for_locks_up_to(Duration::from_secs(1));
    session.watch(watch).unwrap();
    holder.batch("CREATE TABLE t (n int)").unwrap();
    holder.batch("BEGIN; LOCK TABLE t").unwrap();
    let rows = holder.query("SELECT pg_backend_pid()", &[]).unwrap();
    let pid: i32 = rows[0].get(0);
    let error = session.batch("INSERT INTO t VALUES (1)").unwrap_err();
    let held = format!(
        "another session has: process {pid} (baton-worker), which has been idle in its transaction for "
    );
    assert!(matches!(&error, SqlError::Held(why) if why.contains(&held)), "{error:?}");
    holder.batch("COMMIT").unwrap();
    session.batch("INSERT INTO t VALUES (1)").unwrap();
}

#[test]
fn a_failed_transaction_is_not_committed() {
    let [mut session] = sessions();
    session.batch("CREATE TABLE t (n int)").unwrap();
    let committed = session.transaction(|session| {
        session.batch_execute("INSERT INTO t VALUES (1)")?;
        // The error is passed over, and PostgreSQL would answer the commit by a rollback.
        let _ = session.batch_execute("SELECT 1 / 0");
        Ok::<_, diesel::result::Error>(())
    });
    assert!(committed.is_err());
    let rows = session.query("SELECT count(*) FROM t", &[]).unwrap();
    assert_eq!(rows[0].get::<_, i64>(0), 0);
}

#[test]
fn a_copy_that_is_broken_off_leaves_nothing() {
    let [mut session] = sessions();
    session.batch("CREATE TABLE t (n int)").unwrap();
    let mut copy = session.copy_in("COPY t FROM STDIN").unwrap();
    copy.send("1\n2\n".into()).unwrap();
    drop(copy);
    let mut copy = session.copy_in("COPY t FROM STDIN").unwrap();
    copy.send("3\n".into()).unwrap();
    assert_eq!(copy.finish().unwrap(), 1);
    let rows = session.query("SELECT n FROM t WHERE n = $1", &[(&3, Type::INT4)]).unwrap();
    assert_eq!(rows.len(), 1);
}

#[test]
fn a_savepoint_is_released_whether_its_work_ends_well_or_not() {
    let [mut session] = sessions();
    session.batch("CREATE TABLE t (n int); BEGIN").unwrap();
    session.in_savepoint(|session| session.batch("INSERT INTO t VALUES (1)")).unwrap();
    let error =
        session.in_savepoint(|session| session.batch("INSERT INTO t VALUES (2); SELECT 1 / 0")).unwrap_err();
    assert_eq!(error.code().map(|code| code.code()), Some("22012"));
    let gone = session.batch("ROLLBACK TO SAVEPOINT baton").unwrap_err();
    assert_eq!(gone.code().map(|code| code.code()), Some("3B001"));
    session.batch("ROLLBACK").unwrap();
}

#[test]
fn a_session_works_on_a_thread_that_drives_a_runtime() {
    let [mut session] = sessions();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
    runtime.block_on(async {
        tokio::spawn(async move {
            session.batch("SELECT 1").unwrap();
            drop(session);
        })
        .await
        .unwrap();
    });
}

fn target(rest: &str) -> Target {
    Target::parse(rest).unwrap()
}

#[test]
fn a_socket_and_several_hosts_are_understood() {
    assert_eq!(target("/db?host=/run/pg").display_name(), "postgres /run/pg:5432/db");
    assert_eq!(target("u@a:1,b:2/db").display_name(), "postgres a,b:1,2/db");
    assert_eq!(target("u@[::1]:1/db").display_name(), "postgres ::1:1/db");
}

#[test]
fn a_password_that_is_not_encoded_is_refused_and_not_shown() {
    for rest in ["u:secret/x@h/db", "u:12/secret@h/db", "u:se@cret@h/db", "u:12?secret@h/db"] {
        let error = Target::parse(rest).err().unwrap().to_string();
        assert!(!error.contains("secret"), "{error}");
    }
}

#[test]
fn user_and_password_do_not_show_in_a_message() {
    let message =
        target("joe:geheim@h/db").redact("FATAL:  password authentication failed for user \"joe\"\n");
    assert_eq!(message, "FATAL: password authentication failed for user (not shown)");
}

#[test]
fn a_text_for_a_database_without_unicode_is_escaped_as_json_does() {
    assert_eq!(escaped("plain"), "plain");
    let json = serde_json::to_string("東京 \u{1f600}").unwrap();
    let escaped = escaped(&json);
    assert!(escaped.is_ascii());
    assert_eq!(serde_json::from_str::<String>(&escaped).unwrap(), "東京 \u{1f600}");
}
