//! A service as a process of its own.

use std::{error::Error, net::SocketAddr, process::Stdio, time::Duration};

use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    process::{Child, ChildStdout, Command},
    sync::mpsc,
    time::timeout,
};

use crate::arguments::Service;

/// How long a service may take to start.
const START_TIMEOUT: Duration = Duration::from_secs(20);
/// How long it may take to end after SIGTERM.
const STOP_TIMEOUT: Duration = Duration::from_secs(15);

/// What a service says about the orders it handled.
#[derive(Clone, Copy, Debug)]
pub(super) struct Handled {
    pub(super) service: Service,
    pub(super) order: i64,
    pub(super) well: bool,
}

/// A running service; killed when dropped.
#[derive(Debug)]
pub(super) struct ServiceProcess {
    name: String,
    child: Child,
}

impl ServiceProcess {
    /// Starts `shop serve …` and waits until it is ready: the address it listens on, or none for a consumer.
    pub(super) async fn start(
        service: Service,
        arguments: Vec<String>,
        handled: mpsc::UnboundedSender<Handled>,
    ) -> Result<(Self, Option<SocketAddr>), Box<dyn Error>> {
        let name = service.name().to_owned();
        let mut child = Command::new(std::env::current_exe()?)
            .arg("serve")
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| format!("{name} does not start: {error}"))?;
        let stdout = child.stdout.take().ok_or("the service has no output")?;
        let mut lines = BufReader::new(stdout).lines();
        let address = timeout(START_TIMEOUT, ready(&mut lines))
            .await
            .map_err(|_| format!("{name} is not ready after {START_TIMEOUT:?}"))?
            .map_err(|error| format!("{name} did not start: {error}"))?;
        tokio::spawn(listen(lines, service, handled));
        Ok((Self { name, child }, address))
    }

    /// Asks the service to end, and waits until it has: by then its telemetry is out.
    pub(super) async fn stop(mut self) {
        if let Some(id) = self.child.id().and_then(|id| i32::try_from(id).ok()) {
            terminate(id);
        }
        if timeout(STOP_TIMEOUT, self.child.wait()).await.is_err() {
            eprintln!("shop: {} did not end within {STOP_TIMEOUT:?} and is killed", self.name);
        }
    }
}

async fn ready(lines: &mut Lines<BufReader<ChildStdout>>) -> Result<Option<SocketAddr>, Box<dyn Error>> {
    while let Some(line) = lines.next_line().await? {
        if let Some(address) = line.strip_prefix("listening ") {
            return Ok(Some(address.parse()?));
        }
        if line == "subscribed" {
            return Ok(None);
        }
    }
    Err("it ended at once".into())
}

/// Passes on what the service says, until it ends.
async fn listen(
    mut lines: Lines<BufReader<ChildStdout>>,
    service: Service,
    handled: mpsc::UnboundedSender<Handled>,
) {
    while let Ok(Some(line)) = lines.next_line().await {
        let Some((word, order)) = line.split_once(' ') else {
            continue;
        };
        let (Ok(order), well) = (order.parse(), word == "done") else {
            continue;
        };
        if handled.send(Handled { service, order, well }).is_err() {
            return;
        }
    }
}

fn terminate(id: i32) {
    use rustix::process::{Pid, Signal, kill_process};
    let Some(id) = Pid::from_raw(id) else { return };
    if let Err(error) = kill_process(id, Signal::TERM) {
        eprintln!("shop: SIGTERM to process {id:?} failed: {error}");
    }
}
