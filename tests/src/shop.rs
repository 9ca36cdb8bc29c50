//! The demo, as a program to run.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

/// The program, built beside this test. Nothing is to be done where `cargo run -p shop` came first.
///
/// # Panics
///
/// When it can't be built.
#[must_use]
pub fn shop() -> PathBuf {
    let test = std::env::current_exe().expect("the path of this test");
    let profile = test.parent().and_then(Path::parent).expect("the folder above deps");
    let target = profile.parent().expect("the target folder");
    let built = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "-p", "shop", "--target-dir"])
        .arg(target)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .status();
    assert!(built.expect("cargo starts").success(), "the demo does not build");
    profile.join("shop")
}
