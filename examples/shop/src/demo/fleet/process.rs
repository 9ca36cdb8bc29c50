//! A service as a process of its own.
//!
//! Its standard input is a pipe from here that nothing is ever written to: when this process ends in whatever way, the pipe
//! closes and the service ends too. It is in a process group of its own, so that Ctrl-C reaches the demo alone, which
//! then ends the services in their order.

use std::{
    error::Error,
    fmt,
    net::SocketAddr,
    process::{ExitStatus, Stdio},
    time::Duration,
};

use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
    sync::mpsc,
    task::JoinHandle,
    time::timeout,
};

use super::{Ledger, Member, line::Line};

/// How long a service may take to start.
const START_TIMEOUT: Duration = Duration::from_secs(20);
/// How long it may take to end after SIGTERM.
const STOP_TIMEOUT: Duration = Duration::from_secs(15);

/// A process that isn't ready yet; killed when dropped.
#[derive(Debug)]
pub(super) struct Starting {
    member: Member,
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Starting {
    /// Starts `shop serve …`.
    pub(super) fn spawn(member: Member, arguments: &[String]) -> Result<Self, Box<dyn Error>> {
        let mut child = Command::new(std::env::current_exe()?)
            .arg("serve")
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| format!("{member} does not start: {error}"))?;
        let stdout = child.stdout.take().ok_or("the service has no output")?;
        // Taken out, because waiting for a child closes what is left in.
        let stdin = child.stdin.take();
        Ok(Self { member, child, stdin, lines: BufReader::new(stdout).lines() })
    }

    pub(super) const fn member(&self) -> Member {
        self.member
    }

    /// Waits until the service says that it is ready.
    pub(super) async fn ready(
        mut self,
        ledger: &Ledger,
        deaths: &mpsc::UnboundedSender<Death>,
    ) -> Result<ServiceProcess, Box<dyn Error>> {
        let member = self.member;
        let address = timeout(START_TIMEOUT, first_word(&mut self.lines))
            .await
            .map_err(|_| format!("{member} is not ready after {START_TIMEOUT:?}"))?
            .map_err(|error| format!("{member} did not start: {error}"))?;
        let reading = tokio::spawn(listen(self.lines, member, ledger.clone()));
        let (ends, wishes) = mpsc::unbounded_channel();
        let id = self.child.id().unwrap_or_default();
        let supervisor = Supervisor { member, child: self.child, _stdin: self.stdin, deaths: deaths.clone() };
        Ok(ServiceProcess { id, address, ends, supervising: tokio::spawn(supervisor.watch(wishes)), reading })
    }
}

/// A running service; killed when dropped.
#[derive(Debug)]
pub(super) struct ServiceProcess {
    id: u32,
    address: SocketAddr,
    ends: mpsc::UnboundedSender<End>,
    supervising: JoinHandle<()>,
    reading: JoinHandle<()>,
}

/// How a process is ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// SIGTERM: it finishes what it is at, sends its telemetry, and reports.
    Terminate,
    /// SIGKILL: it is gone.
    Kill,
}

/// A process that ended without having been told to.
#[derive(Debug)]
pub(in crate::demo) struct Death {
    member: Member,
    how: String,
}

impl fmt::Display for Death {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} has died ({}); all other services are ended", self.member, self.how)
    }
}

impl ServiceProcess {
    /// The process id, for people; signals go through [`end`](Self::end).
    pub(super) const fn id(&self) -> u32 {
        self.id
    }

    pub(super) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Asks the process to end; nothing happens if it has ended already.
    pub(super) fn tell(&self, end: End) {
        let _has_ended = self.ends.send(end);
    }

    /// Ends the process, and waits until it has ended and all that it said is in the ledger.
    pub(super) async fn end(self, end: End) {
        self.tell(end);
        let _is_no_panic = self.supervising.await;
        let _is_no_panic = self.reading.await;
    }
}

/// Owns the child, so that no signal ever goes to a process id that somebody else has got meanwhile.
struct Supervisor {
    member: Member,
    child: Child,
    _stdin: Option<ChildStdin>,
    deaths: mpsc::UnboundedSender<Death>,
}

impl Supervisor {
    /// Until the child has ended, by itself or because it is told to.
    async fn watch(mut self, mut wishes: mpsc::UnboundedReceiver<End>) {
        let wish = tokio::select! {
            biased;
            wish = wishes.recv() => wish.unwrap_or(End::Kill),
            status = self.child.wait() => return self.mourn(status),
        };
        match wish {
            End::Kill => self.kill().await,
            End::Terminate => self.terminate().await,
        }
    }

    fn mourn(self, status: std::io::Result<ExitStatus>) {
        let how = status.map_or_else(|error| error.to_string(), |status| status.to_string());
        let _nobody_cares = self.deaths.send(Death { member: self.member, how });
    }

    async fn kill(&mut self) {
        if let Err(error) = self.child.kill().await {
            eprintln!("shop: {} cannot be killed: {error}", self.member);
        }
    }

    async fn terminate(&mut self) {
        if let Some(id) = self.child.id().and_then(|id| i32::try_from(id).ok()) {
            terminate(self.member, id);
        }
        if timeout(STOP_TIMEOUT, self.child.wait()).await.is_err() {
            eprintln!("shop: {} did not end within {STOP_TIMEOUT:?} and is killed", self.member);
            self.kill().await;
        }
    }
}

fn terminate(member: Member, id: i32) {
    use rustix::process::{Pid, Signal, kill_process};
    let Some(id) = Pid::from_raw(id) else { return };
    if let Err(error) = kill_process(id, Signal::TERM) {
        eprintln!("shop: SIGTERM to {member} failed: {error}");
    }
}

async fn first_word(lines: &mut Lines<BufReader<ChildStdout>>) -> Result<SocketAddr, Box<dyn Error>> {
    while let Some(line) = lines.next_line().await? {
        if let Some(Line::Ready(address)) = Line::parse(&line) {
            return Ok(address);
        }
    }
    Err("it ended at once".into())
}

/// Notes what the service says, until it ends.
async fn listen(mut lines: Lines<BufReader<ChildStdout>>, member: Member, ledger: Ledger) {
    while let Ok(Some(line)) = lines.next_line().await {
        if let Some(line) = Line::parse(&line) {
            ledger.note(member, line);
        }
    }
}
