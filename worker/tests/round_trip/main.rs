//! A round trip decides: for every type and both databases, texts are imported by every way in, and what is stored is
//! compared with what the file said. On PostgreSQL the server's own input of the text decides, on SQLite a table of declared
//! type and stored form. The seed is printed; `ROUND_TRIP_SEED=… ROUND_TRIP_SECONDS=…` has it again, and for longer.
#![expect(clippy::print_stdout, reason = "a run tells its seed and what it has tried")]
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a failed unwrap is a failed test")]

mod bench;
mod copied;
mod differences;
mod file;
mod import;
mod iso;
mod literals;
mod normal;
#[expect(dead_code, reason = "shared with other tests, which use other parts of it")]
#[path = "../import/objects.rs"]
mod objects;
mod oracle;
#[path = "../support/postgres.rs"]
mod postgres;
mod random;
mod report;
mod run;
mod server;
mod settings;
mod types;
#[path = "../support/unpacked.rs"]
mod unpacked;
mod ways;
#[expect(dead_code, reason = "shared with other tests, which use other parts of it")]
#[path = "../import/world.rs"]
mod world;

use run::Run;
use server::Server;
use world::World;

/// Has `test` done with a server, and reads its report.
fn with_server(server: &Server, test: impl FnOnce(&mut Run<'_>)) {
    let seed = settings::seed();
    let version = &server.version;
    println!("PostgreSQL {version}: ROUND_TRIP_SEED={seed}");
    let world = World::postgres_at(&server.url);
    let mut run = Run::new(server, &world, seed);
    test(&mut run);
    println!("PostgreSQL {version}, {} imports, cases:{}", run.bench.imports, run.bench.report.table());
    let findings = run.bench.report.findings();
    assert!(findings.is_empty(), "PostgreSQL {version}, ROUND_TRIP_SEED={seed}:\n{findings}");
    let thin = run.bench.report.thin();
    assert!(thin.is_empty(), "too few cases: {thin:#?}");
}

fn every_value_is_as_copy_reads_it(server: &Server) {
    with_server(server, |run| {
        run.go(settings::time());
        let stale = run.bench.report.stale(differences::names());
        if let Some(name) = stale.filter(|_| settings::is_whole()) {
            run.bench.report.find(
                report::Kind::Agreed,
                "-",
                "all",
                format!("{name:?} is on the list, and no case meets it"),
            );
        }
    });
}

fn what_copy_writes_comes_back(server: &Server) {
    with_server(server, copied::come_back);
}

#[test]
fn the_installed_postgresql_has_each_value_as_its_own_copy_reads_it() {
    every_value_is_as_copy_reads_it(&Server::installed());
}

#[test]
fn postgresql_16_has_each_value_as_its_own_copy_reads_it() {
    every_value_is_as_copy_reads_it(&Server::unpacked("16"));
}

#[test]
fn postgresql_18_has_each_value_as_its_own_copy_reads_it() {
    every_value_is_as_copy_reads_it(&Server::unpacked("18"));
}

#[test]
fn what_copy_to_of_the_installed_postgresql_writes_comes_back() {
    what_copy_writes_comes_back(&Server::installed());
}

#[test]
fn what_copy_to_of_postgresql_16_writes_comes_back() {
    what_copy_writes_comes_back(&Server::unpacked("16"));
}

#[test]
fn what_copy_to_of_postgresql_18_writes_comes_back() {
    what_copy_writes_comes_back(&Server::unpacked("18"));
}
