//! What an upsert means: rows applied one after the other in the file's order, each by the database's own
//! `INSERT … ON CONFLICT`. Tables, triggers and files are drawn at random, imported, and compared with what the database makes of
//! the rows as single statements in a second table: its content, what its triggers wrote, each count, and which rows are
//! rejects.

mod cases;
mod oracle;

use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed, TestCaseError, TestError, TestRunner};
use statemachine::{Findings, ImportOptions};

use self::cases::Case;
use self::oracle::Expected;
use super::world::World;

/// Cases for each database, unless `PROPTEST_CASES` asks for another number. A case takes some 40 ms.
const CASES: u32 = 200;

/// On PostgreSQL, where a case takes five times as long.
const POSTGRES_CASES: u32 = 60;

/// The number of proptest's own.
const NOBODYS_WISH: u32 = 256;

#[test]
fn an_upsert_is_what_sqlite_makes_of_the_rows_one_by_one() {
    check(&World::sqlite("SELECT 1"), CASES);
}

#[test]
fn an_upsert_is_what_postgresql_makes_of_the_rows_one_by_one() {
    check(&World::postgres("SELECT 1"), POSTGRES_CASES);
}

/// Draws cases and compares, always the same ones; with `PROPTEST_CASES` new ones. Prints the seed where one is not as it should
/// be; `PROPTEST_RNG_SEED` takes it.
pub(crate) fn check(world: &World, cases: u32) {
    let default = Config::default();
    let seed = match default.rng_seed {
        RngSeed::Fixed(seed) => seed,
        // What a run finds that nobody watches must be found again.
        RngSeed::Random if default.cases == NOBODYS_WISH => 1,
        RngSeed::Random => u64::from(uuid_bits()),
    };
    let cases = if default.cases == NOBODYS_WISH { cases } else { default.cases };
    let config = Config { cases, failure_persistence: None, rng_seed: RngSeed::Fixed(seed), ..default };
    let number = std::cell::Cell::new(0_u32);
    // While somebody has the file open, SQLite's log need not be written back each time that another one closes it.
    let _open = world.database.connect().unwrap();
    let outcome = TestRunner::new(config).run(&cases::case(world.is_postgres()), |case| {
        number.set(number.get() + 1);
        compare(world, &case, number.get())
    });
    match outcome {
        Ok(()) => {}
        Err(TestError::Fail(reason, case)) => {
            panic!("seed {seed}: {reason}\n{}\nfile:\n{}", case.ddl("t", world.is_postgres()), case.file())
        }
        Err(TestError::Abort(reason)) => panic!("seed {seed}: {reason}"),
    }
}

/// Something that differs from run to run.
fn uuid_bits() -> u32 {
    use std::hash::{BuildHasher as _, RandomState};

    RandomState::new().hash_one(0) as u32
}

fn compare(world: &World, case: &Case, number: u32) -> Result<(), TestCaseError> {
    let (imported, modelled) = (format!("t{number}"), format!("m{number}"));
    let ddl = |table: &str| case.ddl(table, world.is_postgres());
    world.execute(&format!("BEGIN; {} {} COMMIT", ddl(&imported), ddl(&modelled)));
    let expected = oracle::apply(world, case, &modelled);
    let options = ImportOptions {
        on_conflict: case.on_conflict,
        key: case.key_option(),
        max_rejects: "100%".parse().unwrap(),
        ..ImportOptions::default()
    };
    let (result, findings) =
        world.import_as(&format!("c{number}"), case.file().as_bytes(), &imported, options);
    let summary = result.map_err(|failure| TestCaseError::fail(failure.to_string()))?;
    let found = Expected {
        rows: summary.rows,
        updated: findings.updated,
        skipped: findings.skipped,
        duplicates: findings.duplicates,
        dropped: findings.dropped,
        rejected: findings.first_rejects.iter().map(|reject| reject.record).collect(),
        table: world.lines(&case.content(&imported)),
        audit: world.lines(&format!("SELECT v AS line FROM audit_{imported} ORDER BY 1")),
    };
    prop_assert_eq!(&found, &expected, "{:?}", case);
    prop_assert_eq!(total(&found, &findings), findings.rows_read, "{:?}", case);
    let drop = |table: &str| case.drop(table, world.is_postgres());
    world.execute(&format!("BEGIN; {} {} COMMIT", drop(&imported), drop(&modelled)));
    Ok(())
}

fn total(found: &Expected, findings: &Findings) -> u64 {
    let rejects: u64 = findings.reasons.values().sum();
    found.rows + found.skipped + found.duplicates + found.dropped + rejects
}
