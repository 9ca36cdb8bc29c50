//! The demo: one order through eight services, seen as one trace.
//!
//! ```text
//! cargo run -p shop                                # starts all services, prints the traces of two orders
//! cargo run -p shop -- --list                      # what there is to see, each with --scenario NAME
//! cargo run -p shop -- --orders 500 --rate 50      # load, and whether any order was lost or doubled
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
use throughline::core::error_chain;

use arguments::{Arguments, Command};

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("shop: {}", error_chain(&*error));
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
