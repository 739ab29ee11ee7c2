//! Which signs of life reach the caller.

use std::sync::atomic::Ordering::SeqCst;

use baton_exec::{Beat, Counted};

use crate::support::{Run, until};

/// What counted in the end, and how many signs did. A program that writes at once (`print` may write twice) gives one sign.
fn beats_of(beat: Beat, script: &str) -> (Counted, usize) {
    let mut run = Run::python(script);
    run.program.beat = beat;
    let (report, seen) = run.end();
    assert!(matches!(report.ended, baton_exec::Ended::Done { .. }), "{report:?} {seen:?}");
    (report.counted, seen.beats.load(SeqCst))
}

/// sd_notify in Python, as its clients do it, and progress.
const HELPERS: &str = "
import json, os, socket, sys
def notify(text):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    s.connect(os.environ['NOTIFY_SOCKET'])
    s.sendall(text.encode())
def progress(**report):
    with open(os.environ['BATON_PROGRESS'], 'a') as f: f.write(json.dumps(report) + '\\n')
";

#[test]
fn the_start_counts_and_a_silent_program_gives_no_other_sign() {
    assert_eq!(beats_of(Beat::Auto, "pass"), (Counted::Output, 1));
    assert_eq!(beats_of(Beat::Progress, "print(1)"), (Counted::Progress, 1));
}

#[test]
fn output_counts_until_the_program_has_reported_progress() {
    let (counted, beats) = beats_of(Beat::Auto, "import os; os.write(1, b'x\\n')");
    assert_eq!((counted, beats), (Counted::Output, 2));
    let (counted, beats) = beats_of(Beat::Auto, "import os; os.write(2, b'x\\n')");
    assert_eq!((counted, beats), (Counted::Output, 2));
}

#[test]
fn after_progress_was_reported_output_does_not_count() {
    // The program goes on when its progress was taken: what is in the channel is asked for by FIONREAD.
    let script = format!(
        "{HELPERS}
import fcntl, struct, termios, time
def taken():
    fd = os.open(os.environ['BATON_PROGRESS'], os.O_RDWR)
    deadline = time.monotonic() + 60
    while struct.unpack('i', fcntl.ioctl(fd, termios.FIONREAD, b'....'))[0]:
        assert time.monotonic() < deadline
        time.sleep(0.005)
    os.close(fd)
progress(done=1)
taken()
# What was taken is also acted on before the next report is.
progress(note='then')
taken()
progress(note='and then')
taken()
for n in range(200): print(n, flush=True)
progress(done=1)
progress(done=1, note='the same again')
progress(done=0)
taken()"
    );
    let (counted, beats) = beats_of(Beat::Auto, &script);
    assert_eq!((counted, beats), (Counted::Progress, 2), "the start, and the first `done`");
}

#[test]
fn each_done_that_grows_counts_also_where_only_progress_does() {
    let script = format!("{HELPERS}\nprogress(done=0, total=3)\nprogress(done=3)");
    let (counted, beats) = beats_of(Beat::Progress, &script);
    assert_eq!((counted, beats), (Counted::Progress, 2));
}

#[test]
fn a_watchdog_counts_and_is_named() {
    for beat in [Beat::Auto, Beat::Progress] {
        let script = format!(
            "{HELPERS}\nnotify('READY=1\\nSTATUS=up')\nnotify('WATCHDOG=1')\nnotify('WATCHDOG=1\\n')"
        );
        let (counted, beats) = beats_of(beat, &script);
        // Before the first of them, READY and STATUS count as output does.
        assert_eq!((counted, beats), (Counted::Watchdog, if beat == Beat::Auto { 4 } else { 3 }), "{beat:?}");
    }
}

#[test]
fn output_counts_all_that_is_written() {
    let script = format!("{HELPERS}\nnotify('STATUS=up')\nnotify('WATCHDOG=1')\nos.write(1, b'x\\n')");
    assert_eq!(beats_of(Beat::Output, &script), (Counted::Output, 4));
}

#[test]
fn always_counts_while_the_process_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let go = folder.path().join("go");
    let mut run = Run::sh(&format!("{}true", until("[ -e \"$GO\" ]")));
    run.program.variables.push(("GO".into(), go.clone().into()));
    run.program.beat = Beat::Always;
    // The program is let go after some beats, by the caller's question for a stop.
    GO.set(go).unwrap();
    run.stop_at = Some(crate::support::StopAt {
        when: |seen| {
            if seen.beats.load(SeqCst) > 5 {
                std::fs::write(GO.get().unwrap(), "").unwrap();
            }
            false
        },
        stop: baton_exec::Stop::Shutdown("SIGTERM"),
    });
    let (report, seen) = run.end();
    assert_eq!(report.counted, Counted::Always);
    assert!(seen.beats.load(SeqCst) > 5);
}

static GO: std::sync::OnceLock<std::path::PathBuf> = std::sync::OnceLock::new();
