//! A program that the kernel kills for lack of memory. The program puts itself under the limit of a group of its own, which
//! version 1 of cgroups counts apart: so here the supervisor is a second one, which is in that group, too.

use baton_exec::{Ended, Program};

use crate::support::Run;

/// Runs the tests named behind it in a cgroup with 100 MB, and removes that in the end. 42: there is none to be had.
const IN_A_GROUP: &str = "
group=/sys/fs/cgroup/memory/baton-exec-test-$$
[ -d /sys/fs/cgroup/memory ] || group=/sys/fs/cgroup/baton-exec-test-$$
mkdir $group 2> /dev/null || exit 42
limit=$group/memory.limit_in_bytes
[ -e $limit ] || limit=$group/memory.max
echo 100000000 > $limit || { rmdir $group; exit 42; }
( sh -c 'echo $PPID' > $group/cgroup.procs; exec \"$@\" )
code=$?
rmdir $group
exit $code";

#[test]
fn lack_of_memory_is_told_by_name() {
    let tests = std::env::current_exe().unwrap();
    let mut command = ["sh", "-c", IN_A_GROUP, "sh"].map(Into::into).to_vec();
    command.push(tests.into_os_string());
    command.extend(["--ignored", "--exact", "memory::inner"].map(Into::into));
    let mut run = Run::of(Program::new::<Vec<std::ffi::OsString>>(command));
    // Where no group may be made, as in most containers, there is nothing to test.
    run.program.exit_codes.done.push(42);
    let (report, seen) = run.end();
    assert!(matches!(report.ended, Ended::Done { .. }), "{report:?} {}", seen.stdout().join("\n"));
}

#[test]
#[ignore = "lack_of_memory_is_told_by_name runs it, in a cgroup of its own"]
fn inner() {
    let (error, cause, retry) =
        Run::python("x = []\nwhile True: x.append(bytearray(b'x' * 1000000))").failure();
    assert_eq!((error.as_str(), retry), ("OutOfMemory", true), "{cause}");
    assert!(cause.contains("killed by SIGKILL; meanwhile the kernel killed"), "{cause}");
}
