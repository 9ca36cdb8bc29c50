//! Real servers for tests: found through the environment, started on free ports, stopped when dropped.
//!
//! `.ci/servers` builds them and prints the variables. A test that isn't given its server says so and passes, except
//! where `THROUGHLINE_TEST_REQUIRE_SERVERS` is set, as `.ci/run` does: there it fails.

use std::{
    fs::{self, File},
    io::{self, Write},
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

use throughline_core::env::Environment;

/// The variable with the path of an OpenTelemetry Collector.
pub const COLLECTOR: &str = "THROUGHLINE_TEST_COLLECTOR";
/// The variable with the path of a Jaeger v2.
pub const JAEGER: &str = "THROUGHLINE_TEST_JAEGER";
/// The variable with the path of a Mosquitto.
pub const MOSQUITTO: &str = "THROUGHLINE_TEST_MOSQUITTO";
/// The variable that makes a missing server a failure.
const REQUIRE_SERVERS: &str = "THROUGHLINE_TEST_REQUIRE_SERVERS";

/// How often a condition is looked at again.
const POLL_INTERVAL: Duration = Duration::from_millis(50);
/// How long a server may take to end by itself when it is told to.
const STOP_TIMEOUT: Duration = Duration::from_secs(10);

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

/// Ports of the loopback that were free a moment ago, all different.
///
/// # Panics
///
/// When there are none left.
#[must_use]
pub fn free_ports<const N: usize>() -> [u16; N] {
    // Held together until all are known: one at a time could give the same port twice.
    let held: [TcpListener; N] =
        std::array::from_fn(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port"));
    held.map(|listener| listener.local_addr().expect("the address of a bound socket").port())
}

/// Waits until `condition` gives something.
///
/// # Panics
///
/// After `timeout`, with `what` and what the condition last said was missing.
pub fn wait_until<T>(what: &str, timeout: Duration, mut condition: impl FnMut() -> Result<T, String>) -> T {
    let deadline = Instant::now() + timeout;
    loop {
        match condition() {
            Ok(found) => return found,
            Err(missing) if Instant::now() > deadline => panic!("{what}: not within {timeout:?}: {missing}"),
            Err(_) => thread::sleep(POLL_INTERVAL),
        }
    }
}

/// A running program of which a test needs something; ended when dropped.
#[derive(Debug)]
pub struct Server {
    name: &'static str,
    process: Child,
    log: PathBuf,
}

impl Server {
    /// Starts `command`, whose output goes to a file in `folder`.
    ///
    /// # Panics
    ///
    /// When the program can't be started at all.
    #[must_use]
    pub fn start(name: &'static str, command: &mut Command, folder: &Path) -> Self {
        let log = folder.join(format!("{name}.log"));
        let output = File::create(&log).expect("a log file");
        let process = command
            .stdin(Stdio::null())
            .stdout(output.try_clone().expect("a second handle"))
            .stderr(output)
            .spawn()
            .unwrap_or_else(|error| panic!("{name} does not start: {error}"));
        Self { name, process, log }
    }

    /// Waits until `condition` gives something.
    ///
    /// # Errors
    ///
    /// What the program printed, when it ends before.
    ///
    /// # Panics
    ///
    /// After `timeout`, with what the program printed.
    pub fn wait_until<T>(
        &mut self,
        what: &str,
        timeout: Duration,
        mut condition: impl FnMut(&str) -> Result<T, String>,
    ) -> Result<T, String> {
        let what = format!("{}: {what}", self.name);
        wait_until(&what, timeout, || {
            let ended = self.process.try_wait().expect("a child of this process").is_some();
            let log = self.log();
            match condition(&log) {
                Ok(found) => Ok(Ok(found)),
                Err(_) if ended => Ok(Err(log)),
                Err(missing) => Err(format!("{missing}; it printed:\n{log}")),
            }
        })
    }

    /// Waits until the program has ended by itself.
    ///
    /// # Panics
    ///
    /// After `timeout`, with what the program printed.
    pub fn wait_for_end(&mut self, timeout: Duration) -> ExitStatus {
        wait_until(&format!("end of {}", self.name), timeout, || {
            let ended = self.process.try_wait().expect("a child of this process");
            ended.ok_or_else(|| format!("it runs; it printed:\n{}", self.log()))
        })
    }

    /// What the program has printed until now.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read(&self.log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
    }
}

impl Drop for Server {
    /// Asks first, so that the program can end its own children and leave its files whole.
    fn drop(&mut self) {
        if matches!(self.process.try_wait(), Ok(Some(_))) {
            return;
        }
        let asked = Command::new("kill").args(["-TERM", &self.process.id().to_string()]).status();
        let deadline = Instant::now() + if asked.is_ok() { STOP_TIMEOUT } else { Duration::ZERO };
        while Instant::now() < deadline {
            if matches!(self.process.try_wait(), Ok(Some(_))) {
                return;
            }
            thread::sleep(POLL_INTERVAL);
        }
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_all_different() {
        let ports = free_ports::<8>();
        assert_eq!(ports.iter().collect::<std::collections::HashSet<_>>().len(), ports.len());
    }

    #[test]
    fn a_program_that_ends_too_early_shows_what_it_printed() {
        let folder = tempfile::tempdir().unwrap();
        let mut server = Server::start("sh", Command::new("sh").args(["-c", "echo busy"]), folder.path());
        let ended = server.wait_until("never", Duration::from_secs(10), |_| Err::<(), _>("x".to_owned()));
        assert_eq!(ended, Err("busy\n".to_owned()));
    }

    #[test]
    fn a_dropped_server_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let server = Server::start("sleep", Command::new("sleep").arg("1000"), folder.path());
        let id = server.process.id().to_string();
        drop(server);
        assert!(!Command::new("kill").args(["-0", &id]).stderr(Stdio::null()).status().unwrap().success());
    }
}
