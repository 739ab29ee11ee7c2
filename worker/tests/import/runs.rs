//! Runs that are not the usual one: dry, limited, of a file that was here before.

use statemachine::{FailureName, ImportOptions};
use worker::import::Summary;
use worker::import::create_table::create_missing;
use worker::job::Gauge as _;

use super::text::gzip;
use super::world::{Job, World, max_rejects, named};

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
fn an_import_that_was_asked_to_stop_commits_nothing_however_small_it_is() {
    for world in World::both(DDL) {
        world.put("s.csv", b"id,name\n1,a\n2,b\n");
        let job = world.job("s", "s.csv", "t", ImportOptions::default());
        job.progress.request_stop();
        assert_eq!(named(world.run(&job)).0, FailureName::Interrupted);
        assert_eq!(world.count("t"), 0);
    }
}

#[test]
fn a_limited_run_reads_no_further() {
    for world in World::both(DDL) {
        let options = ImportOptions { limit: Some(2), ..ImportOptions::default() };
        let (result, findings) = world.import_as("l", b"id,name\n1,a\n2,b\nx,c\n", "t", options);
        assert_eq!((result.unwrap().rows, findings.rows_read, world.count("t")), (2, 2, 2));
        assert_eq!(findings.sha256, None, "what was not read has no hash");
        assert!(
            findings.notes[0].starts_with("only the first 2 rows were read, as `limit` says"),
            "{findings:?}"
        );
    }
}

/// Files whose first rows are good, `id` from 1 on; how many there are, and which are good for nothing behind that.
fn broken_files() -> Vec<(&'static str, Vec<u8>, u64)> {
    let rows = |count: usize| (1..=count).fold("id,name\n".to_owned(), |file, id| format!("{file}{id},a\n"));
    let open = |count| format!("{}9,\"unclosed\n", rows(count));
    let long = "x".repeat(200_000);
    let utf_16 = |text: &str| format!("\u{feff}{text}").encode_utf16().flat_map(u16::to_le_bytes).collect();
    // Rows that hardly shrink, so that the archive is longer than what is looked at.
    let mut dice = 1_u64;
    let mut noise = || {
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        dice >> 16
    };
    let noisy = (1..=40_000).fold("id,name\n".to_owned(), |file, id| format!("{file}{id},{:x}\n", noise()));
    let cut = |mut packed: Vec<u8>, bytes: usize| {
        packed.truncate(packed.len() - bytes);
        packed
    };
    let mut damaged = gzip(rows(3).as_bytes());
    let checksum = damaged.len() - 8;
    damaged[checksum] ^= 1;
    let half = |packed: Vec<u8>| packed[..packed.len() / 2].to_vec();
    vec![
        ("a quote", open(1).into(), 1),
        ("a quote behind 50 rows", open(50).into(), 50),
        ("a quote far behind", format!("{}9,\"{long}", rows(2)).into(), 2),
        ("a stray quote", format!("{}9,\"a\"b\r,\n\"", rows(2)).into(), 2),
        ("blank lines", format!("{}\n\n9,\"", rows(2)).into(), 2),
        ("a packed quote", gzip(open(3).as_bytes()), 3),
        ("a checksum", damaged, 3),
        ("no checksum", cut(gzip(rows(3).as_bytes()), 8), 3),
        ("half an archive", half(gzip(noisy.as_bytes())), 10_000),
        ("half an archive of Zstandard", half(zstd::encode_all(noisy.as_bytes(), 3).unwrap()), 500),
        ("UTF-16", utf_16(&open(2)), 2),
        ("code page 932", [open(2).as_bytes(), b"\x95\x5C"].concat(), 2),
        ("bytes of no encoding", [rows(2).as_bytes(), b"9,\"\xFF\xFF\xFF"].concat(), 2),
        ("ISO-2022-KR", format!("{}\u{1b}$)C\u{e}9,a\u{f}\n", rows(2)).into(), 2),
    ]
}

#[test]
fn what_stands_behind_a_limit_has_no_say() {
    for world in World::both(DDL) {
        for (number, (what, file, good)) in broken_files().into_iter().enumerate() {
            let dry = ImportOptions { limit: Some(good), dry_run: true, ..ImportOptions::default() };
            let wet = ImportOptions { limit: Some(good), once: true, ..ImportOptions::default() };
            for (kind, options, rows) in [("dry", dry, 0), ("wet", wet, good)] {
                let (result, mut findings) = world.import_as(&format!("{kind}{number}"), &file, "t", options);
                // How the file is written is looked at as without a limit.
                findings.notes.retain(|note| !note.starts_with("the encoding was guessed"));
                assert_eq!(result.unwrap().rows, good, "{what}");
                assert_eq!((findings.rows_read, world.count("t")), (good, rows), "{what}");
                assert_eq!(
                    (findings.notes.len(), findings.sha256),
                    (1, None),
                    "{what}: {:?}",
                    findings.notes
                );
                assert!(findings.notes[0].contains("as `limit` says"), "{what}: {:?}", findings.notes);
            }
            world.execute("DELETE FROM t");
            // Without the limit, all of them have a say.
            let (result, _) = world.import_as(&format!("all{number}"), &file, "t", ImportOptions::default());
            assert!(result.is_err(), "{what}");
            assert_eq!(world.count("t"), 0, "{what}");
            let options = ImportOptions { limit: Some(good), ..ImportOptions::default() };
            let table = format!("made{number}");
            let made = create_missing(&world.database, &table, &*file, &options).unwrap().unwrap();
            assert!(made.statement().contains("\"id\" "), "{what}: {}", made.statement());
        }
    }
}

#[test]
fn a_limit_of_as_many_rows_as_there_are_is_the_whole_file() {
    for world in World::both(DDL) {
        let found = |id: &str, file: &str, limit| {
            let options = ImportOptions { limit: Some(limit), dry_run: true, ..ImportOptions::default() };
            let (result, findings) = world.import_as(id, file.as_bytes(), "t", options);
            (result.unwrap().rows, findings.sha256.is_some())
        };
        let long = (1..=20_000).fold("id,name\n".to_owned(), |file, id| format!("{file}{id},a\n"));
        assert_eq!(found("a", &long, 20_000), (20_000, true));
        assert_eq!(found("b", &long, 20_001), (20_000, true));
        assert_eq!(found("c", &long, 19_999), (19_999, false));
        assert_eq!(found("d", "id,name\n1,a\n\n\u{1a}", 1), (1, true));
        assert_eq!(found("e", "id,name\n1,a\n\n2,b", 1), (1, false));
        assert_eq!(found("f", "id,name\n1,a", 0), (0, false));
    }
}

#[test]
fn rejects_count_to_a_limit_and_are_filed_without_what_stands_behind() {
    let ddl = "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT CHECK (name <> 'bad'), n INTEGER)";
    for world in World::both(ddl) {
        let options = ImportOptions { limit: Some(4), ..max_rejects(3) };
        let file = b"id,name,n\n1,a,1\n2,bad,2\nx,c,3\n1,d,4\n5,e,5\n6,\"unclosed";
        let (result, findings) = world.import_as("l", file, "t", options);
        assert_eq!((result.unwrap().rows, findings.rows_read), (1, 4));
        let lines: Vec<_> = findings.first_rejects.iter().map(|reject| reject.line).collect();
        assert_eq!(lines, [3, 4, 5]);
        assert_eq!(findings.rejects_file.unwrap().rows, 3);
    }
}

#[test]
fn rows_behind_a_limit_make_no_type() {
    let options = ImportOptions { limit: Some(2), ..ImportOptions::default() };
    for world in World::both("SELECT 1") {
        let file = &b"id,v\n1,2024-02-29\n2,\n3x,y\n"[..];
        let made = create_missing(&world.database, "m", file, &options).unwrap().unwrap();
        assert!(
            made.statement().ends_with("int,\n  \"v\" date\n)")
                || made.statement().ends_with("integer,\n  \"v\" date\n)")
        );
        assert_eq!(world.import_as("m", file, "m", options.clone()).0.unwrap().rows, 2);
        let options = ImportOptions { no_header: true, ..options.clone() };
        let made = create_missing(&world.database, "n", &b"1,2\n3,4\nx,\"y"[..], &options).unwrap().unwrap();
        assert_eq!(made.statement().matches("int").count(), 2, "{}", made.statement());
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
fn a_file_that_was_imported_before_has_no_rejects_that_nobody_is_told_of() {
    for world in World::both("CREATE TABLE t (id INTEGER PRIMARY KEY)") {
        world.import_as("first", b"id\n1\n2\n", "t", ImportOptions::default()).0.unwrap();
        let once = ImportOptions { once: true, ..max_rejects(2) };
        let (job, result) = done(&world, "second", b"id\n1\n2\n", once);
        assert_eq!(named(result).0, FailureName::AlreadyImported);
        let findings = job.progress.findings().cloned().unwrap();
        assert_eq!((job.progress.counters().rejects, findings.reasons.len()), (0, 0), "{findings:?}");
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
fn a_file_is_the_same_in_the_table_that_it_went_into_whatever_its_name_means_later() {
    let world = World::postgres("CREATE TABLE t (id int); CREATE SCHEMA s2; CREATE TABLE s2.t (id int)");
    let once = || ImportOptions { once: true, ..ImportOptions::default() };
    world.import_as("first", b"id\n1\n", "t", once()).0.unwrap();
    world.execute(
        "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET search_path = s2, public', current_database()); END $$",
    );
    let (result, findings) = world.import_as("second", b"id\n1\n", "t", once());
    assert_eq!((result.unwrap().rows, findings.same_file_as), (1, None));
    assert_eq!(findings.table.as_deref(), Some("\"s2\".\"t\""));
    let (result, findings) = world.import_as("third", b"id\n1\n", "public.t", once());
    assert_eq!(named(result).0, FailureName::AlreadyImported);
    assert_eq!(findings.same_file_as.as_deref(), Some("first"));
    assert_eq!((world.count("public.t"), world.count("s2.t")), (1, 1));
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
fn every_reject_is_counted_or_it_is_said_that_not_all_were_looked_for() {
    const TABLE: &str = "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT)";
    let there: Vec<_> = (0..1_500).map(|number| format!("({}, 'old')", 2 * number + 1)).collect();
    let filled = format!("{TABLE}; INSERT INTO t VALUES {}", there.join(", "));
    let refusing = format!(
        "{TABLE}; CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
           $$ BEGIN IF NEW.id < 3000 THEN RAISE EXCEPTION 'no'; END IF; RETURN NEW; END $$;
         CREATE TRIGGER refuse BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION refuse()"
    );
    let checked = TABLE.replace("name TEXT", "name TEXT, CHECK (id >= 3000)");
    let rows: String = (0..2_600).map(|number| format!("{},n{number}\n", 2 * number + 1)).collect();
    let unreadable: String = (0..500).map(|number| format!("x{number},n\n")).collect();
    let files = [(1_500, format!("id,name\n{rows}")), (2_000, format!("id,name\n{unreadable}{rows}"))];
    let worlds =
        World::both(&filled).into_iter().chain(World::both(&checked)).chain([World::postgres(&refusing)]);
    for (number, world) in worlds.enumerate() {
        for (bad, file) in &files {
            let import = |id: &str, options: ImportOptions| {
                let findings = world.import_as(&format!("{id}{bad}"), file.as_bytes(), "t", options).1;
                (findings.reasons.values().sum::<u64>(), findings.notes)
            };
            let dry_run = ImportOptions { dry_run: true, ..ImportOptions::default() };
            assert_eq!(import("dry", dry_run), (*bad, Vec::new()), "world {number}");
            for limit in [0, 100, 700, 1_400, bad - 1] {
                let (found, notes) = import(&format!("{limit}-"), max_rejects(limit));
                let says_so = notes.iter().any(|note| note.contains("--dry-run"));
                assert!(
                    found == *bad || (found < *bad && says_so),
                    "world {number}, {limit}: {found} {notes:?}"
                );
            }
        }
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
