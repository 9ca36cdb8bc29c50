//! The demo: one order through five services, seen as one trace.
//!
//! ```text
//! cargo run -p shop                                # starts all services, sends orders, prints each order's trace
//! cargo run -p shop -- --orders 5 --fail users=0.5
//! cargo run -p shop -- --otlp http://127.0.0.1:4317 --log-dir logs
//! ```
//!
//! Each service is a process of its own, started from this same program. What is printed is rebuilt from the spans that
//! the demo's own receiver got over OTLP, and from nothing else.

#![expect(clippy::print_stderr, reason = "a command-line tool talks to people")]

mod arguments;
mod broker;
mod demo;
mod faults;
mod parent;
mod services;

use std::{error::Error, process::ExitCode};

use clap::Parser;

use arguments::{Arguments, Command};

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("shop: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<(), Box<dyn Error>> {
    match arguments.command {
        Some(Command::Serve(settings)) => {
            if settings.until_stdin_closes {
                parent::end_with_it()?;
            }
            services::serve(settings).await
        }
        None => demo::run(arguments.demo).await,
    }
}
