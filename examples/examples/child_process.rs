//! Start a program in your trace: the context goes to a child process through its environment.
//!
//! ```text
//! cargo run -p examples --example child_process
//! ```
//!
//! A backup starts itself again to do the work. You will see a log line of each of the two processes, with one `trace_id` and
//! one correlation id; with a Collector at `OTEL_EXPORTER_OTLP_ENDPOINT` they are one trace:
//!
//! ```text
//! backup: backup
//! └─ dump: dump
//! ```

#![expect(clippy::print_stdout, reason = "says in the end what was exported")]

use std::{
    env::current_exe,
    error::Error,
    process::{Command, ExitStatus},
    time::Duration,
};

use clap::Parser;
use throughline::{Context, core::with_remote, process};

#[derive(Parser)]
struct Arguments {
    /// Be the child.
    #[arg(long)]
    dump: bool,
}

fn main() -> Result<(), Box<dyn Error>> {
    let is_child = Arguments::parse().dump;
    let telemetry = throughline::init(if is_child { "dump" } else { "backup" })?;
    let worked = if is_child { dump() } else { backup() };
    println!("{}", telemetry.shutdown_blocking(Duration::from_secs(5)));
    worked
}

/// A program that nobody called starts a trace, with a correlation id of its own.
fn backup() -> Result<(), Box<dyn Error>> {
    let status = with_remote(&Context::root(), || tracing::info_span!("backup")).in_scope(start)?;
    if status.success() { Ok(()) } else { Err(format!("the dump failed: {status}").into()) }
}

fn start() -> Result<ExitStatus, std::io::Error> {
    tracing::info!("starting the dump");
    Command::new(current_exe()?).arg("--dump").env_clear().envs(process::child_env()).status()
}

/// What the parent has put into the environment is current while the span is made.
fn dump() -> Result<(), Box<dyn Error>> {
    let span = with_remote(&process::parent(), || tracing::info_span!("dump"));
    span.in_scope(|| tracing::info!(tables = 3, "dumped"));
    Ok(())
}
