//! Where the programs under test are: beside the test's own, where `cargo build --workspace --bins` puts them.

use std::path::PathBuf;

/// The path of a program of this workspace, of the profile that the tests were built with.
///
/// # Panics
/// It has not been built.
#[must_use]
pub fn path(name: &str) -> PathBuf {
    let path = folder().join(name);
    assert!(
        path.is_file(),
        "{} is missing: run `cargo build --workspace --bins` and `bash tests/upgrade/build`",
        path.display()
    );
    path
}

/// The folder that they lie in.
pub(crate) fn folder() -> PathBuf {
    let this = std::env::current_exe().expect("a program knows where it lies");
    // A test lies in target/<profile>/deps, a program in target/<profile>.
    let dir = this.parent().expect("a program lies in a folder");
    let profile = if dir.ends_with("deps") { dir.parent().expect("deps lies in a folder") } else { dir };
    profile.to_owned()
}
