//! Programs that a test starts, watches, and ends when it drops them.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

/// How often a condition is looked at again.
const POLL_INTERVAL: Duration = Duration::from_millis(50);
/// How long a server may take to end by itself when it is told to.
const STOP_TIMEOUT: Duration = Duration::from_secs(10);

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
    stop_signal: &'static str,
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
        Self { name, process, log, stop_signal: "TERM" }
    }

    /// The signal that asks the program to end, if it isn't `TERM`.
    #[must_use]
    pub const fn stop_signal(mut self, name: &'static str) -> Self {
        self.stop_signal = name;
        self
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
        let asked =
            Command::new("kill").args(["-s", self.stop_signal, &self.process.id().to_string()]).status();
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
