//! The database and the ways to it and to the stack fail the worker.

use std::sync::Arc;

use diesel::RunQueryDsl as _;
use e2e::link::{Direction, Fault, has};
use rustix::process::{Pid, Signal, kill_process};
use worker::db::Connection;

use super::Moment;
use crate::world::World;

/// Ends one session of a worker, not the run's own.
const TERMINATE: &str = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
    WHERE datname = current_database() AND pid <> pg_backend_pid() ORDER BY random() LIMIT 1";

#[derive(diesel::QueryableByName)]
struct Process {
    #[diesel(sql_type = diesel::sql_types::Integer)]
    pid: i32,
}

impl Moment<'_> {
    pub(super) async fn terminate_backend(self) -> bool {
        let world = Arc::clone(self.world);
        let terminate = move || match world.database.connect() {
            Ok(Connection::Postgres(mut rows)) => {
                diesel::sql_query(TERMINATE).execute(&mut rows).is_ok_and(|count| count > 0)
            }
            _ => false,
        };
        tokio::task::spawn_blocking(terminate).await.unwrap_or_default()
    }

    pub(super) async fn crash_database(self) -> bool {
        let world = Arc::clone(self.world);
        let crash = move || match world.database.connect() {
            Ok(Connection::Postgres(mut rows)) => {
                let own =
                    diesel::sql_query("SELECT pg_backend_pid() AS pid").get_result::<Process>(&mut rows);
                let own = own.ok().and_then(|own| Pid::from_raw(own.pid));
                own.is_some_and(|own| kill_process(own, Signal::KILL).is_ok())
            }
            _ => false,
        };
        tokio::task::spawn_blocking(crash).await.unwrap_or_default()
    }

    pub(super) fn cut_database(self) -> bool {
        let link = self.world.rows.as_ref().filter(|link| link.connections() > 0);
        link.inspect(|link| link.cut()).is_some()
    }

    pub(super) fn stall_database(mut self) -> bool {
        let pause = self.milliseconds(200..4_000);
        let Some(link) = &self.world.rows else { return false };
        link.stall();
        let world = Arc::clone(self.world);
        self.lasting.spawn(async move {
            tokio::time::sleep(pause).await;
            world.rows.as_ref().unwrap().resume();
        });
        true
    }

    pub(super) fn refuse_database(mut self) -> bool {
        let pause = self.milliseconds(100..1_500);
        let world = Arc::clone(self.world);
        if world.rows.is_none() {
            return false;
        }
        self.lasting.spawn(async move {
            let link = world.rows.as_ref().unwrap();
            link.refuse().await;
            link.cut();
            tokio::time::sleep(pause).await;
            link.accept();
        });
        true
    }

    pub(super) fn lose_commit(self) -> bool {
        let Some(link) = &self.world.rows else { return false };
        // One at a time: those that pile up while every worker waits for its retry would meet each of its next claims.
        if link.armed() > 0 {
            return false;
        }
        link.once(Direction::ToServer, has("COMMIT"), Fault::CutAtAnswer);
        true
    }

    pub(super) fn cut_aws(self) -> bool {
        self.world.aws.cut();
        true
    }

    pub(super) fn stall_aws(mut self) -> bool {
        let pause = self.milliseconds(200..7_000);
        let world = Arc::clone(self.world);
        world.aws.stall();
        self.lasting.spawn(async move {
            tokio::time::sleep(pause).await;
            world.aws.resume();
        });
        true
    }

    pub(super) fn refuse_aws(mut self) -> bool {
        let pause = self.milliseconds(100..2_000);
        let world = Arc::clone(self.world);
        self.lasting.spawn(async move {
            world.aws.refuse().await;
            world.aws.cut();
            tokio::time::sleep(pause).await;
            world.aws.accept();
        });
        true
    }
}

/// Ends whatever still stands in the way. An answer to a COMMIT that is to be lost may get lost yet, as it may at any time.
pub(crate) fn mend(world: &World) {
    for link in [Some(&world.aws), world.rows.as_ref()].into_iter().flatten() {
        link.resume();
        link.accept();
    }
}
