//! Runs that are not the usual one: dry, limited, of a file that was here before.

use statemachine::{FailureName, ImportOptions};

use super::world::{World, max_rejects, named};
use worker::job::{Job, Summary};

const DDL: &str = "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT)";

#[test]
fn a_dry_run_tells_everything_and_writes_nothing() {
    for world in World::both(DDL) {
        world.execute("INSERT INTO t VALUES (1, 'old')");
        let options = ImportOptions { dry_run: true, ..max_rejects(2) };
        let (result, findings) = world.import_as("d", b"id,name\n1,a\n2,b\n3,c\nx,d\n", "t", options);
        let summary = result.unwrap();
        assert_eq!((summary.rows, summary.rejects, findings.rows_read), (2, 2, 4));
        assert!(findings.dry_run);
        let lines: Vec<_> =
            findings.first_rejects.iter().map(|reject| (reject.line, &*reject.reason)).collect();
        assert_eq!(lines, [(2, "unique"), (5, "not_an_integer")]);
        assert_eq!(world.count("t"), 1);
        let too_many = ImportOptions { dry_run: true, ..ImportOptions::default() };
        assert_eq!(named(world.import_as("e", b"id\nx\n", "t", too_many).0).0, FailureName::TooManyRejects);
    }
}

#[test]
fn a_limited_run_reads_no_further() {
    for world in World::both(DDL) {
        let options = ImportOptions { limit: Some(2), ..ImportOptions::default() };
        let (result, findings) = world.import_as("l", b"id,name\n1,a\n2,b\nx,c\n", "t", options);
        assert_eq!((result.unwrap().rows, findings.rows_read, world.count("t")), (2, 2, 2));
        assert_eq!(findings.sha256, None, "what was not read has no hash");
    }
}

/// Commits as the worker does, so that the import counts as one that was.
fn done(
    world: &World,
    id: &str,
    file: &[u8],
    options: ImportOptions,
) -> (Job, Result<Summary, worker::failure::Failure>) {
    world.put("same.csv", file);
    let job = world.job(id, "same.csv", "t", options);
    let result = world.run(&job);
    (job, result)
}

#[test]
fn the_same_file_is_noticed_and_refused_on_demand() {
    const FILE: &[u8] = b"id,name\n,a\n";
    let ddl = "CREATE TABLE t (id INTEGER, name TEXT)";
    for world in World::both(ddl) {
        let found = |job: &Job| job.progress.findings().cloned().unwrap();
        let dry = ImportOptions { dry_run: true, ..ImportOptions::default() };
        done(&world, "dry", FILE, dry).1.unwrap();
        let (first, result) =
            done(&world, "first", FILE, ImportOptions { once: true, ..ImportOptions::default() });
        result.unwrap();
        assert_eq!(found(&first).same_file_as, None, "a dry run has imported nothing");
        assert_eq!(found(&first).sha256.unwrap().len(), 64);
        let (second, result) = done(&world, "second", FILE, ImportOptions::default());
        result.unwrap();
        assert_eq!(found(&second).same_file_as.as_deref(), Some("first"));
        let (third, result) =
            done(&world, "third", FILE, ImportOptions { once: true, ..ImportOptions::default() });
        let (name, cause) = named(result);
        assert_eq!(name, FailureName::AlreadyImported);
        assert!(cause.contains("as second"), "{cause}");
        assert_eq!((found(&third).same_file_as.as_deref(), world.count("t")), (Some("second"), 2));
        let (_, result) =
            done(&world, "other", b"id,name\n,b\n", ImportOptions { once: true, ..ImportOptions::default() });
        result.unwrap();
    }
}

#[test]
fn a_file_is_the_same_however_its_table_is_spelled() {
    let worlds = World::both("CREATE TABLE t (id INTEGER, name TEXT)");
    let spelled = [["main.t", "T"], ["public.t", "\"t\""]];
    for (world, spelled) in worlds.iter().zip(spelled) {
        let once = || ImportOptions { once: true, ..ImportOptions::default() };
        world.import_as("first", b"id,name\n1,a\n", "t", once()).0.unwrap();
        for (id, table) in ["second", "third"].into_iter().zip(spelled) {
            let (result, findings) = world.import_as(id, b"id,name\n1,a\n", table, once());
            assert_eq!(named(result).0, FailureName::AlreadyImported, "{table}");
            assert_eq!(findings.same_file_as.as_deref(), Some("first"));
        }
        assert_eq!(world.count("t"), 1);
    }
}

#[test]
fn a_dry_run_tries_all_rows_on_the_database_beyond_the_limit() {
    const FILE: &[u8] = b"id,v,n\n1,a,x\n2,bad,1\n1,c,1\n1,d,1\n";
    for world in World::both("CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT CHECK (v <> 'bad'), n INTEGER)")
    {
        let dry = ImportOptions { dry_run: true, ..ImportOptions::default() };
        let (result, findings) = world.import_as("dry", FILE, "t", dry);
        assert_eq!(named(result).0, FailureName::TooManyRejects);
        let lines: Vec<_> = findings.first_rejects.iter().map(|reject| reject.line).collect();
        assert_eq!(lines, [2, 3, 5], "{findings:#?}");
        assert!(findings.notes.is_empty(), "{findings:#?}");
        let (_, findings) = world.import_as("wet", FILE, "t", ImportOptions::default());
        assert_eq!(findings.first_rejects.len(), 1);
        assert!(
            findings.notes[0].starts_with("3 rows were checked and not tried on the database"),
            "{findings:#?}"
        );
        assert_eq!(world.count("t"), 0);
    }
}

#[test]
fn of_two_runs_of_one_file_at_once_only_one_is_the_first() {
    let world = World::postgres("CREATE TABLE t (id INTEGER, name TEXT)");
    world.put("same.csv", format!("id,name\n{}", "1,a\n".repeat(20_000)).as_bytes());
    let once = || ImportOptions { once: true, ..ImportOptions::default() };
    let jobs: Vec<_> = ["a", "b", "c"].map(|id| world.job(id, "same.csv", "t", once())).into();
    let results: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = jobs.iter().map(|job| scope.spawn(|| world.run(job))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let (done, refused): (Vec<_>, Vec<_>) = results.into_iter().partition(Result::is_ok);
    assert_eq!((done.len(), refused.len(), world.count("t")), (1, 2, 20_000));
    refused.into_iter().for_each(|result| assert_eq!(named(result).0, FailureName::AlreadyImported));
}

#[test]
fn two_imports_of_one_file_at_once_succeed_and_the_second_says_so() {
    for world in World::both("CREATE TABLE t (id INTEGER, name TEXT)") {
        world.put("same.csv", format!("id,name\n{}", "1,a\n".repeat(20_000)).as_bytes());
        let jobs = ["a", "b"].map(|id| world.job(id, "same.csv", "t", ImportOptions::default()));
        std::thread::scope(|scope| {
            for job in &jobs {
                scope.spawn(|| world.run(job).unwrap());
            }
        });
        let same = jobs.each_ref().map(|job| job.progress.findings().unwrap().same_file_as.as_deref());
        assert!(same == [None, Some("a")] || same == [Some("b"), None], "{same:?}");
        assert_eq!(world.count("t"), 40_000);
    }
}
