//! One run: the world, the imports, the faults beside them, rest, audit, report.

use std::cell::Cell;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_sdk_s3::primitives::ByteStream;
use e2e::wait;
use fastrand::Rng;
use rustix::process::Signal;

use crate::arguments::Arguments;
use crate::plan::{self, Import, Kind};
use crate::report::Report;
use crate::world::World;
use crate::{audit, faults, rest, tables};

/// How long one call, or a place among the open imports, may be waited for: as long as the stack is being killed.
const PATIENCE: Duration = Duration::from_secs(120);

/// Runs, and says how it went.
pub(crate) async fn run(arguments: &Arguments) -> ExitCode {
    let seed = arguments.seed.unwrap_or_else(|| fastrand::u64(..));
    println!("seed        {seed}");
    let begun = Instant::now();
    let dir = tempfile::Builder::new().prefix("baton-chaos.").tempdir().expect("there is room for a folder");
    let mut random = Rng::with_seed(seed);
    let imports = plan::draw(&mut random, arguments.imports, &arguments.kinds, arguments.backend);
    let start = World::start(
        dir.path().to_owned(),
        arguments.backend,
        arguments.planted_bug,
        arguments.maximum_imports,
    );
    let world = Arc::new(Box::pin(start).await);
    tables::fill(&world.database, &imports);

    let is_over = Cell::new(false);
    let faults =
        faults::inject(&world, Rng::with_seed(random.u64(..)), &arguments.faults, &imports, &is_over);
    let submitted = async {
        submit_all(&world, &imports, arguments.parallel).await;
        is_over.set(true);
    };
    let (faults, ()) = tokio::join!(faults, submitted);
    let imported_in = begun.elapsed();

    let mut findings = rest::settle(&world, &imports).await;
    let letters = rest::dead_letters(&world).await;
    if arguments.planted_change {
        println!("planted     {}", tables::change_one_value(&world.database, &imports, &mut random));
    }
    findings.extend(audit::of_running(&world, &imports, &letters).await);
    let ends = audit::ends(&world);
    world.stack.lock().await.end(Signal::TERM).await;
    findings.extend(audit::of_stopped(&world).await);

    let report = Report {
        imports: arguments.imports,
        faults,
        ends,
        letters: letters.len(),
        imported_in,
        took: begun.elapsed(),
        findings,
    };
    report.print();
    if report.findings.is_empty() {
        return ExitCode::SUCCESS;
    }
    println!("seed        {seed}\nfolder      {} is kept", dir.keep().display());
    ExitCode::FAILURE
}

async fn submit_all(world: &World, imports: &[Import], parallel: usize) {
    for import in imports {
        let has_room = |open: &Option<usize>| open.is_some_and(|open| open < parallel);
        let room = wait::within(PATIENCE, async || rest::asked_for(world).await, has_room).await;
        assert!(
            room.is_ok(),
            "not fewer than {parallel} imports open or asked for within {PATIENCE:?}: {room:?}"
        );
        if let Some(file) = import.file() {
            put(world, import, file).await;
        }
        send(world, import).await;
        if import.kind == Kind::TwoMessages {
            tokio::time::sleep(Duration::from_millis(import.between_ms)).await;
            send(world, import).await;
        }
    }
    // The last ones have their share of faults, too.
    let _ =
        wait::within(PATIENCE / 4, async || rest::is_busy(world).await, |is_busy| *is_busy == Some(false))
            .await;
}

async fn put(world: &World, import: &Import, bytes: Vec<u8>) {
    let look = async || {
        let body = ByteStream::from(bytes.clone());
        world
            .s3
            .put_object()
            .bucket(&world.resources.bucket)
            .key(import.key())
            .body(body)
            .send()
            .await
            .is_ok()
    };
    let is_put = wait::within(PATIENCE, look, |is_put| *is_put).await;
    assert!(is_put.is_ok(), "S3 takes no object within {PATIENCE:?}");
}

/// Sends the message until SQS says that it has it. An answer that was lost makes two messages of one.
async fn send(world: &World, import: &Import) {
    let body = import.body(&world.resources.bucket);
    let look = async || faults::send(world, &body).await;
    let is_sent = wait::within(PATIENCE, look, |is_sent| *is_sent).await;
    assert!(is_sent.is_ok(), "SQS takes no message within {PATIENCE:?}");
}
