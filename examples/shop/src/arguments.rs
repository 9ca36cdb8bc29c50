//! The command line.

mod balance;
mod database;
mod demo;
mod peer;
mod protocol;
mod serve;
mod service;
mod telemetry;

use clap::{Parser, Subcommand};

pub(crate) use balance::Balance;
pub(crate) use database::DatabaseUrl;
pub(crate) use demo::DemoArguments;
pub(crate) use peer::Peer;
pub(crate) use protocol::Protocol;
pub(crate) use serve::ServeArguments;
pub(crate) use service::Service;
pub(crate) use telemetry::TelemetrySwitch;

/// One order through eight services, seen as one trace.
///
/// Starts every service as a process of its own, sends orders, and prints the trace of each as a tree with its log
/// lines: first an order where nothing goes wrong, then one where something does. Needs nothing installed.
#[derive(Debug, Parser)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    pub(crate) demo: DemoArguments,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Runs one service (started by the demo itself).
    #[command(hide = true)]
    Serve(ServeArguments),
}
