//! House rules that neither the compiler nor clippy knows.

use std::{fs, path::Path};

use crate::command;

/// Where a file stops being one concept. A report, not an error: a big file wants a look.
const FILE_LINES_NOTED: usize = 400;

/// Words that must not be in the tree: paths of somebody's machine.
const FOREIGN: &[&str] = &["/root/", "/home/", "/Users/"];

pub(crate) fn run() -> Result<(), String> {
    let files = command::output("git", &["ls-files", "--cached", "--others", "--exclude-standard"])?;
    let mut problems = Vec::new();
    for file in files.lines() {
        let path = command::root().join(file);
        let Ok(text) = fs::read_to_string(&path) else {
            continue;
        };
        check(file, &text, &mut problems);
    }
    for problem in &problems {
        eprintln!("{problem}");
    }
    if problems.is_empty() { Ok(()) } else { Err(format!("{} house rules broken", problems.len())) }
}

fn check(file: &str, text: &str, problems: &mut Vec<String>) {
    if file.starts_with("xtask/") || file == "Cargo.lock" || file.ends_with(".json") {
        return;
    }
    for word in FOREIGN {
        if let Some(line) = text.lines().position(|line| line.contains(word)) {
            problems.push(format!("{file}:{}: holds a path of some machine ({word})", line + 1));
        }
    }
    if Path::new(file).extension().is_none_or(|extension| extension != "rs") {
        return;
    }
    if !text.starts_with("//!") {
        problems.push(format!("{file}:1: does not say what it is (no //! line)"));
    }
    if file.ends_with("src/lib.rs") && file.starts_with("crates/") {
        check_table_of_contents(file, text, problems);
    }
    let lines = text.lines().count();
    if lines > FILE_LINES_NOTED {
        println!("note: {file} has {lines} lines");
    }
}

/// `lib.rs` is a table of contents: no functions, no types.
fn check_table_of_contents(file: &str, text: &str, problems: &mut Vec<String>) {
    for (number, line) in text.lines().enumerate() {
        let code = line.trim_start_matches("pub ").trim_start_matches("pub(crate) ");
        if ["fn ", "struct ", "enum ", "impl ", "trait ", "macro_rules!"]
            .iter()
            .any(|word| code.starts_with(word))
        {
            problems.push(format!("{file}:{}: lib.rs holds logic", number + 1));
        }
    }
}
