//! The progress channel and sd_notify, used well and badly.

use std::time::Duration;

use baton_exec::{Ended, Program, Progress};

use crate::support::Run;

#[test]
fn progress_from_sh_python_and_node_is_told() {
    let sh = "echo '{\"done\": 3, \"total\": 9, \"unit\": \"rows\", \"note\": \"hi\"}' > \"$BATON_PROGRESS\"";
    let python = "import os; f = open(os.environ['BATON_PROGRESS'], 'w'); \
                  f.write('{\"done\": 3.0, \"total\": 9, \"unit\": \"rows\", \"note\": \"hi\"}\\n')";
    let node = "require('fs').createWriteStream(process.env.BATON_PROGRESS, {flags: 'a'})\
                .end('{\"done\": 3, \"total\": 9, \"unit\": \"rows\", \"note\": \"hi\"}\\n')";
    for command in [["sh", "-c", sh], ["python3", "-c", python], ["node", "-e", node]] {
        let (report, seen) = Run::of(Program::new(command)).end();
        let (unit, note) = (Some("rows".to_owned()), Some("hi".to_owned()));
        let progress = Progress { done: Some(3), total: Some(9), unit, note };
        assert_eq!(report.progress.as_ref(), Some(&progress), "{command:?} {report:?} {seen:?}");
        assert_eq!(seen.progress.lock().unwrap().last(), Some(&progress));
    }
}

#[test]
fn what_is_no_report_is_ignored_and_half_a_line_too() {
    let (report, _) = Run::sh(
        "exec 3> \"$BATON_PROGRESS\"; echo '{\"done\": 1}' >&3; echo nonsense >&3; printf '{\"done\": 2' >&3; kill -KILL $$",
    )
    .end();
    assert_eq!(report.progress.unwrap().done, Some(1));
}

#[test]
fn a_hundred_megabytes_of_progress_are_taken() {
    let script = "import os
line = b'{\"note\": \"' + b'x' * 10000 + b'\"}\\n'
with open(os.environ['BATON_PROGRESS'], 'ab') as f:
    for n in range(5000): f.write(line)
    f.write(b'y' * 50_000_000 + b'\\n')
    f.write(b'{\"done\": 7}\\n')";
    let (report, _) = Run::python(script).end();
    assert_eq!(report.progress.unwrap().done, Some(7));
}

#[test]
fn lines_of_several_processes_do_not_mix() {
    let script = "import os, json
note = 'x' * 400
children = []
for child in range(8):
    pid = os.fork()
    if pid == 0:
        fd = os.open(os.environ['BATON_PROGRESS'], os.O_WRONLY)
        for n in range(500): os.write(fd, json.dumps({'done': n, 'unit': str(child), 'note': note}).encode() + b'\\n')
        os._exit(0)
    children.append(pid)
for pid in children: os.waitpid(pid, 0)
os.write(os.open(os.environ['BATON_PROGRESS'], os.O_WRONLY), b'{\"total\": 500}\\n')";
    let (report, _) = Run::python(script).end();
    let progress = report.progress.unwrap();
    assert_eq!((progress.done, progress.total), (Some(499), Some(500)));
}

#[test]
fn a_grandchild_that_holds_the_channel_open_holds_nothing_up() {
    let (report, _) =
        Run::sh("echo '{\"done\": 1}' > \"$BATON_PROGRESS\"; sleep 1000 3> \"$BATON_PROGRESS\" &").end();
    assert!(matches!(report.ended, Ended::Done { .. }), "{report:?}");
    assert_eq!((report.progress.unwrap().done, report.left_behind), (Some(1), 1));
}

#[test]
fn a_program_that_replaces_the_channel_only_loses_its_progress() {
    let (report, _) =
        Run::sh("rm \"$BATON_PROGRESS\"; mkdir \"$BATON_PROGRESS\"; rm \"$NOTIFY_SOCKET\"; exit 0").end();
    assert!(matches!(report.ended, Ended::Done { .. }), "{report:?}");
    assert_eq!(report.progress, None);
}

#[test]
fn a_status_is_a_note_and_patience_is_passed_on() {
    let script = "import os, socket
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.sendto(b'STATUS=half way\\nEXTEND_TIMEOUT_USEC=90000000', os.environ['NOTIFY_SOCKET'])";
    let (report, seen) = Run::python(script).end();
    assert_eq!(report.progress.unwrap().note.as_deref(), Some("half way"));
    assert_eq!(*seen.patience.lock().unwrap(), [Duration::from_secs(90)]);
}

#[test]
fn messages_without_a_pause_hold_nothing_up() {
    let script = "import os, socket
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.connect(os.environ['NOTIFY_SOCKET'])
for n in range(20000): s.send(b'STATUS=%d' % n)";
    let (report, _) = Run::python(script).end();
    assert_eq!(report.progress.unwrap().note.as_deref(), Some("19999"));
}
