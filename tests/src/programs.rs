//! The real servers that tests need: found through the environment, and skipped or required.
//!
//! `.ci/servers` builds or installs them and prints the variables. A test that isn't given its server says so and passes,
//! except where `THROUGHLINE_TEST_REQUIRE_SERVERS` is set, as `.ci/run` does: there it fails.

use std::{
    io::{self, Write},
    path::PathBuf,
};

use throughline_core::env::Environment;

/// The variable with the path of an OpenTelemetry Collector.
pub const COLLECTOR: &str = "THROUGHLINE_TEST_COLLECTOR";
/// The variable with the path of a Jaeger v2.
pub const JAEGER: &str = "THROUGHLINE_TEST_JAEGER";
/// The variable with the path of a `mariadbd`.
pub const MARIADB: &str = "THROUGHLINE_TEST_MARIADB";
/// The variable with the path of a Mosquitto.
pub const MOSQUITTO: &str = "THROUGHLINE_TEST_MOSQUITTO";
/// The variable with the path of a `postgres`, or of the folder that it is in.
pub const POSTGRES: &str = "THROUGHLINE_TEST_POSTGRES";
/// The variable that makes a missing server a failure.
const REQUIRE_SERVERS: &str = "THROUGHLINE_TEST_REQUIRE_SERVERS";

/// The program that `variable` names, for the test called `test`; `None` after having said that the test is skipped.
///
/// # Panics
///
/// When the variable isn't set, although servers are required.
#[must_use]
pub fn program(variable: &str, test: &str) -> Option<PathBuf> {
    let environment = Environment::process();
    if let Some(path) = environment.get(variable) {
        return Some(path.into());
    }
    assert!(environment.get(REQUIRE_SERVERS).is_none(), "{test} needs {variable}");
    // Written past the test harness, which would swallow what a passing test prints. Nobody to tell is no failure.
    drop(writeln!(io::stderr(), "SKIPPED {test}: set {variable} to run it"));
    None
}
