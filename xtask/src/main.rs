//! The project's own checks: `cargo xtask <command>`.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command-line tool talks to people")]

mod bench;
mod command;
mod features;
mod fuzz;
mod tidy;

use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo xtask <command>

  tidy         the house rules that a program can check
  features     each feature of each crate, built alone
  bench-check  instructions counted with valgrind, against the budgets
  fuzz         each fuzz target for half a minute
  ci           format, clippy, tidy, tests, docs, features";

fn main() -> ExitCode {
    let wanted = std::env::args().nth(1);
    let result = match wanted.as_deref() {
        Some("tidy") => tidy::run(),
        Some("features") => features::run(),
        Some("bench-check") => bench::run(),
        Some("fuzz") => fuzz::run(),
        Some("ci") => ci(),
        Some("--help" | "-h") => {
            println!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        other => {
            let problem =
                other.map_or_else(|| "no command".to_owned(), |name| format!("no command {name:?}"));
            eprintln!("xtask: {problem}\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("xtask: {problem}");
            ExitCode::FAILURE
        }
    }
}

/// What needs no server, in the order of speed.
fn ci() -> Result<(), String> {
    command::cargo(&["fmt", "--all", "--check"])?;
    tidy::run()?;
    command::cargo(&["clippy", "--workspace", "--all-targets", "--all-features", "--", "-D", "warnings"])?;
    command::cargo(&["test"])?;
    command::cargo(&["doc", "--no-deps"])?;
    features::run()
}
