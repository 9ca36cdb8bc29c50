//! The project's own checks: `cargo xtask <command>`.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command-line tool talks to people")]

mod bench;
mod command;
mod features;
mod fuzz;
mod patterns;
mod tidy;

use std::process::ExitCode;

use patterns::Mode;

const USAGE: &str = "\
usage: cargo xtask <command>

  tidy         the house rules that a program can check
  features     each feature of each crate, built alone
  bench-check  instructions counted with valgrind, against the budgets
  fuzz         each fuzz target for half a minute
  patterns     the pages of docs/patterns, against what the demo prints; --write renews them
  ci           format, clippy, tidy, tests, docs, features";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match arguments.as_slice() {
        ["tidy"] => tidy::run(),
        ["features"] => features::run(),
        ["bench-check"] => bench::run(),
        ["fuzz"] => fuzz::run(),
        ["patterns"] => patterns::run(Mode::Compare),
        ["patterns", "--write"] => patterns::run(Mode::Write),
        ["ci"] => ci(),
        ["--help" | "-h"] => {
            println!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        other => {
            let problem = match other {
                [] => "no command".to_owned(),
                words => format!("no command {:?}", words.join(" ")),
            };
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
