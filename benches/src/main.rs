//! What throughline costs, counted: `cargo run --profile bench -p benches -- check`.
//!
//! A parent process plays the client and the Collector; the server under measurement is a child of its own, run under
//! callgrind, so that nothing but the server is counted. Each stack is run with two numbers of requests, and the
//! difference of the two counts is divided by the difference of the numbers: start-up and shutdown cancel out. Spans
//! and log lines that arrived are counted beside: a pipeline that drops is not fast.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command-line tool talks to people")]

mod budget;
mod call;
mod client;
mod line;
mod measure;
mod server;
mod stacks;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Counts what a request and a log line cost, beside bare axum and the hand-assembled stack.
#[derive(Debug, Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Prints the table of instructions; exits with 1 where a budget is exceeded. Needs valgrind.
    Check,
    /// Prints CPU time a request, best of several interleaved rounds; a check beside the instructions.
    Time,
    /// The server under measurement (started by the other commands).
    #[command(hide = true)]
    Serve(server::Settings),
    /// Writes log lines (started by the other commands).
    #[command(hide = true)]
    Line(line::Settings),
    /// Makes client calls (started by the other commands).
    #[command(hide = true)]
    Call(call::Settings),
}

fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Check => budget::check(),
        Command::Time => budget::time(),
        Command::Serve(settings) => server::run(&settings),
        Command::Line(settings) => line::run(&settings),
        Command::Call(settings) => call::run(&settings),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("benches: {problem}");
            ExitCode::FAILURE
        }
    }
}
