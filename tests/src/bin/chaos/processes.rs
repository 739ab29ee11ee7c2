//! The children of the run's stack, found by their environment: nobody else's process is ever touched.

use std::path::Path;

use e2e::binaries;
use rustix::process::Pid;

/// The processes of a program (`worker`, `start-import`) that the stack of this folder has started.
pub(crate) fn of_stack(program: &str, endpoints: &[String]) -> Vec<Pid> {
    let path = binaries::path(program);
    let markers: Vec<_> = endpoints.iter().map(|endpoint| format!("AWS_ENDPOINT_URL={endpoint}")).collect();
    let processes = std::fs::read_dir("/proc").expect("the run is on Linux");
    processes
        .flatten()
        .filter_map(|process| {
            let pid = Pid::from_raw(process.file_name().to_str()?.parse().ok()?)?;
            (std::fs::read_link(process.path().join("exe")).is_ok_and(|exe| exe == path)
                && carries(&process.path(), &markers))
            .then_some(pid)
        })
        .collect()
}

/// Whether a process was started with this variable.
pub(crate) fn has_variable(pid: Pid, name: &str, value: &str) -> bool {
    let process = Path::new("/proc").join(pid.as_raw_nonzero().to_string());
    carries(&process, &[format!("{name}={value}")])
}

fn carries(process: &Path, markers: &[String]) -> bool {
    let environment = std::fs::read(process.join("environ")).unwrap_or_default();
    environment
        .split(|byte| *byte == 0)
        .any(|variable| markers.iter().any(|marker| variable == marker.as_bytes()))
}
