//! The task token is out of the program's reach. The environment of this very test process stands for it: what a program
//! can read of that, it could read of the token.

use baton_exec::Program;

use crate::support::Run;

/// Tries to read the environment of its parent, which is this process, and says how much of it it got.
const TRY: &str =
    "if head -c 1 /proc/$PPID/environ > /dev/null 2>&1; then echo read environ; else echo nothing; fi
if head -c 1 /proc/$PPID/mem > /dev/null 2>&1; then echo read mem; fi
tr '\\0' ' ' < /proc/$PPID/cmdline | grep -c TASK_TOKEN";

fn tried(mut command: Vec<&str>) -> Vec<String> {
    command.extend(["sh", "-c", TRY]);
    Run::of(Program::new(command)).end().1.stdout()
}

#[test]
fn another_user_reads_nothing_of_its_parent() {
    if rustix::process::geteuid().is_root() {
        let lines =
            tried(vec!["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--bounding-set=-all"]);
        assert_eq!(lines, ["nothing", "0"]);
    } else {
        assert_eq!(tried(vec![]), ["nothing", "0"]);
    }
}

#[test]
fn root_as_in_a_container_reads_nothing_of_its_parent() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    // What root may do in a container of Docker or ECS by default.
    let capabilities = "-all,+chown,+dac_override,+fowner,+fsetid,+kill,+setgid,+setuid,+setpcap,+net_bind_service,\
                        +net_raw,+sys_chroot,+mknod,+audit_write,+setfcap";
    let lines = tried(vec!["setpriv", "--bounding-set", capabilities, "--inh-caps=-all"]);
    assert_eq!(lines, ["nothing", "0"]);
}

#[test]
fn without_being_hidden_the_same_root_would_read_it() {
    // So that the test above proves something: a process that is dumpable, and has no capabilities either, is read.
    let script = "tr '\\0' '\\n' < /proc/$PPID/environ | grep -c ^MARK=";
    let program = format!("MARK=1 sh -c 'sh -c \"$0\"; true' {}", shell_quoted(script));
    let mut command = vec!["sh", "-c", &program];
    if rustix::process::geteuid().is_root() {
        command.splice(0..0, ["setpriv", "--bounding-set=-all", "--inh-caps=-all"]);
    }
    let (_, seen) = Run::of(Program::new(command)).end();
    assert_eq!(seen.stdout(), ["1"], "{seen:?}");
}

fn shell_quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

#[test]
fn root_with_the_capability_reads_what_it_wants() {
    // Nothing can be done about that, and the README says so.
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let effective = status.lines().find_map(|line| line.strip_prefix("CapEff:\t")).unwrap();
    const SYS_PTRACE: u32 = 19;
    if u64::from_str_radix(effective, 16).unwrap() & (1 << SYS_PTRACE) != 0 {
        let lines = tried(vec![]);
        assert!(lines[0] == "read environ", "{lines:?}");
    }
}
