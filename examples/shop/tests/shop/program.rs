//! The demo as a process: run to its end, or for as long as a test wants.

use std::{
    io::{BufRead, BufReader, Read},
    net::{SocketAddr, TcpStream},
    process::{Child, ChildStdout, Command, ExitStatus, Output, Stdio},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

/// How long a process may take to end.
const END_TIMEOUT: Duration = Duration::from_secs(30);

/// Runs the demo to its end.
pub(crate) fn shop(arguments: &[&str]) -> Output {
    command(arguments).output().expect("the demo starts")
}

/// What it printed; it must have ended well.
pub(crate) fn printed(output: &Output) -> String {
    assert!(output.status.success(), "{}\n{}", text(&output.stdout), text(&output.stderr));
    text(&output.stdout)
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_shop"));
    command.args(arguments);
    command
}

/// A demo with all its services up, which goes on until it is told to end; killed when dropped.
pub(crate) struct Open {
    child: Child,
    stdout: BufReader<ChildStdout>,
    pub(crate) services: Vec<Service>,
}

/// A process of the demo's.
#[derive(Clone, Debug)]
pub(crate) struct Service {
    pub(crate) name: String,
    pub(crate) address: SocketAddr,
    pub(crate) process: u32,
}

impl Open {
    /// Starts the demo, and reads where its services are.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let mut child = command(&["--services", "--keep-running"])
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the demo starts");
        let stdout = BufReader::new(child.stdout.take().expect("its output"));
        let mut open = Self { child, stdout, services: Vec::new() };
        open.read_services();
        open
    }

    fn read_services(&mut self) {
        let mut line = String::new();
        loop {
            line.clear();
            let length = self.stdout.read_line(&mut line).expect("a line of the demo");
            assert_ne!(length, 0, "the demo ended: {}", self.errors());
            if line.contains("Ctrl-C ends all") {
                return;
            }
            self.services.extend(Service::read(&line));
        }
    }

    fn errors(&mut self) -> String {
        let mut errors = String::new();
        if let Some(stderr) = &mut self.child.stderr {
            stderr.read_to_string(&mut errors).expect("its errors");
        }
        errors
    }

    pub(crate) fn service(&self, name: &str) -> &Service {
        self.services.iter().find(|service| service.name == name).expect(name)
    }

    /// Sends the demo itself a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        send(self.child.id(), signal);
    }

    /// Waits until it has ended: how, and what it had to say.
    pub(crate) fn end(mut self) -> (ExitStatus, String) {
        let errors = self.errors();
        let status = wait(|| self.child.try_wait().expect("its status"));
        (status.expect("the demo ends"), errors)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        let _has_ended = self.child.kill();
        let _status = self.child.wait();
    }
}

impl Service {
    /// `orders-2  http://127.0.0.1:41234 process 4711`
    fn read(line: &str) -> Option<Self> {
        let words: Vec<_> = line.split_whitespace().collect();
        let [name, url, "process", process] = words.as_slice() else { return None };
        let address = url.strip_prefix("http://")?.parse().ok()?;
        Some(Self { name: (*name).to_owned(), address, process: process.parse().ok()? })
    }

    /// As a crash: no time to say anything.
    pub(crate) fn kill(&self) {
        send(self.process, Signal::KILL);
    }

    /// Waits until nobody listens there any more.
    pub(crate) fn assert_gone(&self) {
        let gone = wait(|| TcpStream::connect(self.address).is_err().then_some(()));
        assert!(gone.is_some(), "{self:?} is still there");
    }
}

fn send(process: u32, signal: Signal) {
    let id = i32::try_from(process).ok().and_then(Pid::from_raw).expect("a process id");
    kill_process(id, signal).expect("the process is there");
}

/// Asks again and again until there is an answer, or for too long.
pub(crate) fn wait<T>(mut ask: impl FnMut() -> Option<T>) -> Option<T> {
    let since = Instant::now();
    while since.elapsed() < END_TIMEOUT {
        let answer = ask();
        if answer.is_some() {
            return answer;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    None
}
