//! The packages of the functions, as `sam build` makes it for AWS with cargo-lambda (`tests/package/build`): for the machine of
//! Lambda, on its glibc, small, and able to bring an import about.

use std::path::{Path, PathBuf};
use std::process::Command;

use aws_sdk_sfn::types::ExecutionStatus;
use e2e::{Backend, TestStack};
use local_stack::Config;
use serde_json::json;

use crate::workspace::top;

/// Lambda's name of an architecture, Rust's of the target, and readelf's of the machine.
const ARCHITECTURES: [(&str, &str, &str); 2] =
    [("x86_64", "x86_64-unknown-linux-gnu", "X86-64"), ("arm64", "aarch64-unknown-linux-gnu", "AArch64")];

/// The template's names of them.
const FUNCTIONS: [&str; 2] = ["AssignLaneFunction", "StartImportFunction"];

/// The glibc of `provided.al2023`.
const GLIBC: (u32, u32) = (2, 34);

/// Larger ones start slower. Lambda itself takes 250 MB.
const MAX_BYTES: u64 = 12_000_000;

fn run(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).current_dir(top()).output().unwrap();
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The folder that has a folder for each function, of those architectures for which Rust's standard library is here; `tests/package/build`
/// says which are not.
fn packages() -> impl Iterator<Item = (&'static str, PathBuf, &'static str)> {
    let is_here = |target: &str| {
        Path::new(run("rustc", &["--print", "target-libdir", "--target", target]).trim()).is_dir()
    };
    ARCHITECTURES.into_iter().filter(move |(_, target, _)| is_here(target)).map(|(name, _, machine)| {
        let folder = top().join("target/sam").join(name);
        for function in FUNCTIONS {
            assert!(folder.join(function).is_dir(), "{function} is missing: `bash tests/run` makes it");
        }
        (name, folder, machine)
    })
}

#[test]
fn a_package_is_one_small_program_for_lambdas_machine_and_its_glibc() {
    for (folder, machine) in
        packages().flat_map(|(_, folder, machine)| FUNCTIONS.map(|function| (folder.join(function), machine)))
    {
        let files: Vec<_> = folder.read_dir().unwrap().map(|file| file.unwrap().file_name()).collect();
        assert_eq!(files, ["bootstrap"], "provided.al2023 runs what is called so");
        let bootstrap = folder.join("bootstrap");
        let bytes = bootstrap.metadata().unwrap().len();
        assert!(bytes < MAX_BYTES, "{} has {bytes} bytes", bootstrap.display());

        let readelf = |what: &str| run("readelf", &["--wide", what, bootstrap.to_str().unwrap()]);
        let header = readelf("--file-header");
        assert!(header.lines().any(|line| line.contains("Machine:") && line.ends_with(machine)), "{header}");
        assert!(!readelf("--section-headers").contains(".symtab"), "it is not stripped");

        let versions = readelf("--version-info");
        let needed: Vec<(u32, u32)> = versions
            .split("GLIBC_")
            .skip(1)
            .filter_map(|rest| {
                let version = rest.split(|c: char| !c.is_ascii_digit() && c != '.').next()?;
                let (major, rest) = version.split_once('.')?;
                Some((major.parse().ok()?, rest.split('.').next()?.parse().ok()?))
            })
            .collect();
        assert!(!needed.is_empty(), "{versions}");
        assert!(needed.iter().all(|version| *version <= GLIBC), "{needed:?}");
    }
}

#[test]
fn the_built_template_takes_the_packages_and_finds_both_definitions() {
    for (architecture, folder, _) in packages() {
        let template = std::fs::read_to_string(folder.join("template.yaml")).unwrap();
        let values = |field: &str| -> Vec<&str> {
            template.lines().filter_map(|line| line.trim().strip_prefix(field)?.strip_prefix(": ")).collect()
        };
        assert_eq!(values("CodeUri"), FUNCTIONS, "{architecture}");
        let definitions = values("DefinitionUri");
        assert_eq!(definitions.len(), 2, "{architecture}");
        for definition in definitions {
            assert!(folder.join(definition).is_file(), "{architecture}: {definition}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_packages_that_are_deployed_bring_an_import_about_in_the_embedded_stack() {
    let machine = |target: &str| target.starts_with(std::env::consts::ARCH);
    let own = ARCHITECTURES.iter().find(|(_, target, _)| machine(target)).unwrap().0;
    let (_, folder, _) = packages().find(|(name, ..)| *name == own).unwrap();
    let program = |function: &str| folder.join(function).join("bootstrap");
    let (assign_lane, start_import) = (program("AssignLaneFunction"), program("StartImportFunction"));
    let in_a_lane = |config: &mut Config| {
        (config.assign_lane, config.start_import) = (assign_lane, start_import);
        config.maximum_imports = 1;
    };
    let stack = TestStack::with(Backend::Sqlite).config(in_a_lane).start().await;
    stack.create_people();
    let source = stack.put("uploads/people.csv", "id,name\n1,山田 太郎\n2,Smith\n").await;
    let sent = stack.describe("packaged", &source, "people", json!({})).await;
    assert_eq!(stack.ended(&sent.execution_arn).await.status, ExecutionStatus::Succeeded);
    assert_eq!(stack.count("people"), 2);
    stack.audit().await;
}
