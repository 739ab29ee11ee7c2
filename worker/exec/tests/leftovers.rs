//! Nothing is left behind, whatever the program started.

use baton_exec::{Ended, Program};

use crate::support::{Run, is_alive, until};

#[test]
fn a_process_in_the_background_is_killed_when_the_program_ends() {
    let (report, seen) = Run::sh("sleep 1000 & echo pid=$!").end();
    assert!(matches!(report.ended, Ended::Done { .. }), "{report:?}");
    assert_eq!(report.left_behind, 1);
    assert!(!is_alive(seen.number("pid")));
}

/// A daemon as the books have it: two forks, a session of its own, no file open.
const DAEMON: &str = "
import os, signal, sys, time
r, w = os.pipe()
if os.fork() == 0:
    os.setsid()
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if os.fork() == 0:
        os.write(w, str(os.getpid()).encode())
        for fd in (0, 1, 2, r, w): os.close(fd)
        time.sleep(1000)
    os._exit(0)
os.wait()
print('pid=' + os.read(r, 20).decode(), flush=True)
";

#[test]
fn a_daemon_in_a_session_of_its_own_is_found_and_killed() {
    let (report, seen) = Run::python(DAEMON).end();
    assert!(matches!(report.ended, Ended::Done { .. }), "{report:?} {seen:?}");
    assert_eq!(report.left_behind, 1);
    assert!(!is_alive(seen.number("pid")));
}

#[test]
fn a_tree_of_sessions_is_killed_to_its_leaves() {
    let script = format!(
        "f=$(mktemp); setsid sh -c 'setsid sh -c \"setsid sleep 1000 & echo \\$! > '$f'; wait\" & wait' & {}echo pid=$(cat $f); rm $f",
        until("[ -s \"$f\" ]")
    );
    let (report, seen) = Run::sh(&script).end();
    assert!(matches!(report.ended, Ended::Done { .. }), "{report:?} {seen:?}");
    assert!(!is_alive(seen.number("pid")));
}

#[test]
fn orphans_are_reaped_while_the_program_runs() {
    // An orphan that has ended is a zombie until it is reaped: the program waits for its number to be free.
    let script = format!("pid=$(sh -c 'true & echo $!'); {}echo gone", until("[ ! -e /proc/$pid ]"));
    let (report, seen) = Run::sh(&script).end();
    assert_eq!(seen.stdout(), ["gone"], "{report:?}");
    assert_eq!(report.left_behind, 0);
}

#[test]
fn processes_that_start_others_all_the_time_are_killed() {
    let script = "import os, time
for n in range(4):
    if os.fork() == 0:
        os.setsid()
        while True:
            if os.fork() == 0:
                time.sleep(0.05)
                os._exit(0)
            try: os.waitpid(-1, os.WNOHANG)
            except ChildProcessError: pass
            time.sleep(0.001)
time.sleep(0.2)
print('session=%d' % os.getsid(0))";
    let (report, _) = Run::python(script).end();
    assert!(matches!(report.ended, Ended::Done { .. }), "{report:?}");
    assert!(report.left_behind >= 4, "{report:?}");
}

#[test]
fn a_panic_of_the_caller_leaves_no_process() {
    use baton_exec::{JobFacts, Progress, Stop, Stream, Watch, run};
    use std::sync::Mutex;
    struct Panics(Mutex<Vec<String>>);
    impl Watch for Panics {
        fn gets_on(&self) {}
        fn progress(&self, _: &Progress) {
            panic!("the caller's fault")
        }
        fn line(&self, _: Stream, line: &str) {
            self.0.lock().unwrap().push(line.to_owned());
        }
        fn stop_requested(&self) -> Option<Stop> {
            None
        }
    }
    let watch = Panics(Mutex::new(Vec::new()));
    let program =
        Program::new(["sh", "-c", "echo $$; echo '{\"done\": 1}' > \"$BATON_PROGRESS\"; sleep 1000"]);
    let job =
        JobFacts { id: "r".to_owned(), kind: "k".to_owned(), attempt: 1, input: serde_json::Value::Null };
    let end = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| run(&program, &job, &watch)));
    assert!(end.is_err());
    let pid = watch.0.lock().unwrap()[0].parse().unwrap();
    assert!(!is_alive(pid));
}

#[test]
fn as_process_1_nothing_is_left_either_and_the_token_is_as_safe() {
    // What it is in a container. The tests of this file and of the token run once more, in a namespace of their own.
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let tests = std::env::current_exe().unwrap();
    let mut command = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"].map(Into::into).to_vec();
    command.push(tests.into_os_string());
    command.extend(["leftovers::", "token::", "--skip", "as_process_1"].map(Into::into));
    let (report, seen) = Run::of(Program::new::<Vec<std::ffi::OsString>>(command)).end();
    assert!(matches!(report.ended, Ended::Done { .. }), "{}", seen.stdout().join("\n"));
    assert!(
        seen.stdout().iter().any(|line| line.starts_with("test leftovers::a_tree_of_sessions")),
        "{seen:?}"
    );
}
