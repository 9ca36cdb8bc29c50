//! Running the program under measurement, counted or timed.

use std::{
    error::Error,
    fs,
    io::{BufRead, BufReader, Read},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use throughline_receiver::Receiver;

use crate::{client, stacks::Stack};

/// What one run of a server took and delivered.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Run {
    /// Instructions of the whole process; 0 when it wasn't run under callgrind.
    pub(crate) instructions: u64,
    /// User and system time of the whole process.
    pub(crate) cpu_micros: u64,
    pub(crate) spans: u64,
    pub(crate) lines: u64,
}

/// Whether to count instructions or let the program run at full speed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    Counted,
    Timed,
}

/// Serves `requests` with `stack`, and counts what arrived at a receiver of our own and in the log file.
pub(crate) fn serve(stack: Stack, requests: u64, way: Way) -> Result<Run, Box<dyn Error>> {
    let receiver = Receiver::builder().start_blocking()?;
    let folder = tempfile::tempdir()?;
    let log_file = folder.path().join("log.jsonl");
    let name = stack.to_string();
    let mut child = start(
        &[
            "serve",
            "--stack",
            &name,
            "--otlp",
            &receiver.grpc_endpoint(),
            "--log-file",
            &log_file.to_string_lossy(),
        ],
        way,
    )?;
    let mut output = BufReader::new(child.stdout.take().ok_or("no output")?);
    let mut address = String::new();
    output.read_line(&mut address)?;
    client::load(address.trim(), stack, requests)?;
    let mut rest = String::new();
    output.read_to_string(&mut rest)?;
    let instructions = finish(child, way)?;
    let cpu_micros = rest
        .lines()
        .find_map(|line| line.strip_prefix("cpu ")?.strip_suffix(" us")?.parse().ok())
        .unwrap_or_default();
    Ok(Run { instructions, cpu_micros, spans: arrived(&receiver), lines: count_lines(&log_file) })
}

/// Runs another command of this program under callgrind and returns its instructions.
pub(crate) fn count(arguments: &[&str]) -> Result<u64, Box<dyn Error>> {
    let mut child = start(arguments, Way::Counted)?;
    let mut output = String::new();
    child.stdout.take().ok_or("no output")?.read_to_string(&mut output)?;
    finish(child, Way::Counted)
}

fn start(arguments: &[&str], way: Way) -> Result<Child, Box<dyn Error>> {
    let program = std::env::current_exe()?;
    let mut command = match way {
        Way::Timed => Command::new(program),
        Way::Counted => {
            let mut command = Command::new("valgrind");
            command.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]).arg(program);
            command
        }
    };
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
        .spawn()
        .map_err(|error| format!("{way:?} run does not start (is valgrind installed?): {error}").into())
}

/// Waits for the end, and reads the count off callgrind's closing lines.
fn finish(child: Child, way: Way) -> Result<u64, Box<dyn Error>> {
    let output = child.wait_with_output()?;
    let errors = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        return Err(format!("the program under measurement failed:\n{errors}").into());
    }
    if way == Way::Timed {
        return Ok(0);
    }
    let collected = errors.lines().find_map(|line| line.split("Collected : ").nth(1));
    Ok(collected.ok_or("callgrind printed no count")?.trim().parse()?)
}

/// The spans that the receiver holds, once no more have come for a while.
fn arrived(receiver: &Receiver) -> u64 {
    let deadline = Instant::now() + Duration::from_secs(10);
    let mut last = u64::MAX;
    loop {
        let now = receiver.counts().spans + receiver.dropped().spans;
        if now == last || Instant::now() > deadline {
            return now;
        }
        last = now;
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn count_lines(file: &Path) -> u64 {
    fs::read(file).map_or(0, |bytes| bytes.iter().filter(|byte| **byte == b'\n').count() as u64)
}
