//! Where the programs under test are: beside the test's own, where `cargo build --workspace --bins` puts them.

use std::path::PathBuf;

/// The path of a program of this workspace, of the profile that the tests were built with.
///
/// # Panics
/// It has not been built.
#[must_use]
pub fn path(name: &str) -> PathBuf {
    // target/<profile>/deps/<test>
    let test = std::env::current_exe().expect("a test knows where it lies");
    let profile = test.ancestors().nth(2).expect("tests lie in target/<profile>/deps");
    let path = profile.join(name);
    assert!(path.is_file(), "{} is missing: run `cargo build --workspace --bins`", path.display());
    path
}
