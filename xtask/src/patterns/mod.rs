//! The pages of `docs/patterns` and the README say what is true: their output is what the demo prints, their code stands in the tree, and
//! their links lead somewhere.
//!
//! `cargo xtask patterns` runs each command that a page names and compares; `cargo xtask patterns --write` puts what was
//! printed into the pages. A block is made of a marker and the fence after it:
//!
//! ```text
//! <!-- shop: --scenario retry --steady -->     what `cargo run -p shop -- --scenario retry --steady` prints
//! <!-- shop in short: - -->                    some lines of what `cargo run -p shop` prints
//! <!-- code: examples/shop/src/main.rs -->     lines that stand in that file, in this order
//! ```

mod code;
mod excerpt;
mod links;
mod page;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use crate::command;
use page::{Block, Source};

const FOLDER: &str = "docs/patterns";
const README: &str = "README.md";

/// How often a command runs before its output is held against a page: on a busy machine a scenario may take another turn,
/// a probe that comes before a call and not after it.
const TRIES: usize = 5;

/// What is done about output that differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// It is a failure.
    Compare,
    /// It goes into the page.
    Write,
}

pub(crate) fn run(mode: Mode) -> Result<(), String> {
    let mut printed = BTreeMap::new();
    let mut problems = Vec::new();
    let pages = pages()?;
    for path in &pages {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let found = look_at(path, mode, &mut printed).map_err(|problem| format!("{name}: {problem}"))?;
        problems.extend(found.into_iter().map(|problem| format!("{name}: {problem}")));
    }
    for problem in &problems {
        eprintln!("{problem}");
    }
    println!("patterns: {} pages, {} commands of the shop", pages.len(), printed.len());
    if problems.is_empty() {
        return Ok(());
    }
    Err(format!(
        "{} things on the pages are not so (cargo xtask patterns --write renews the output)",
        problems.len()
    ))
}

/// What isn't so on one page.
fn look_at(path: &Path, mode: Mode, printed: &mut BTreeMap<String, String>) -> Result<Vec<String>, String> {
    let text = fs::read_to_string(path).map_err(|error| error.to_string())?;
    let blocks = page::blocks(&text)?;
    let mut problems: Vec<_> =
        links::broken(path, &text).into_iter().map(|link| format!("no {link}")).collect();
    problems.extend(code::strays(&blocks));
    for block in of(&blocks, Source::ShopInShort) {
        problems
            .extend(missing_in_short(block, printed)?.map(|line| format!("the shop doesn't print {line}")));
    }
    let fresh = renewed(&text, &blocks, mode, printed)?;
    match mode {
        _ if fresh == text => {}
        Mode::Write => fs::write(path, fresh).map_err(|error| error.to_string())?,
        Mode::Compare => problems.push(first_difference(&text, &fresh)),
    }
    Ok(problems)
}

/// The page with what the shop prints now.
fn renewed(
    text: &str,
    blocks: &[Block<'_>],
    mode: Mode,
    printed: &mut BTreeMap<String, String>,
) -> Result<String, String> {
    let mut fresh = page::with_output(text, blocks, |arguments| shop(arguments, printed))?;
    for _ in 1..TRIES {
        if fresh == text || mode == Mode::Write {
            break;
        }
        page::of_shop(blocks).for_each(|arguments| drop(printed.remove(arguments)));
        fresh = page::with_output(text, blocks, |arguments| shop(arguments, printed))?;
    }
    Ok(fresh)
}

fn pages() -> Result<Vec<PathBuf>, String> {
    let folder = command::root().join(FOLDER);
    let entries = fs::read_dir(&folder).map_err(|error| format!("{FOLDER}: {error}"))?;
    let mut pages: Vec<_> = entries
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .collect();
    pages.push(command::root().join(README));
    pages.sort();
    Ok(pages)
}

/// The first line of the block that the shop doesn't print.
fn missing_in_short<'a>(
    block: &Block<'a>,
    printed: &mut BTreeMap<String, String>,
) -> Result<Option<&'a str>, String> {
    let mut missing = None;
    for _ in 0..TRIES {
        missing = excerpt::missing(block.text, &shop(block.of, printed)?);
        if missing.is_none() {
            break;
        }
        printed.remove(block.of);
    }
    Ok(missing)
}

/// What the shop prints with these arguments; each command runs once, however many pages show it.
fn shop(arguments: &str, printed: &mut BTreeMap<String, String>) -> Result<String, String> {
    if let Some(output) = printed.get(arguments) {
        return Ok(output.clone());
    }
    println!("$ cargo run -p shop -- {arguments}");
    let mut command = vec!["run", "--quiet", "-p", "shop", "--"];
    command.extend(arguments.split_whitespace().filter(|argument| *argument != "-"));
    let output = command::output(env!("CARGO"), &command)?;
    let output =
        output.lines().map(str::trim_end).collect::<Vec<_>>().join("\n").trim_matches('\n').to_owned();
    printed.insert(arguments.to_owned(), output.clone());
    Ok(output)
}

fn first_difference(page: &str, fresh: &str) -> String {
    let mut fresh = fresh.lines();
    for (number, line) in page.lines().enumerate() {
        let other = fresh.next();
        if other != Some(line) {
            return format!(
                "line {}: the shop prints\n  {}\nand the page has\n  {line}",
                number + 1,
                other.unwrap_or_default()
            );
        }
    }
    format!("the shop prints one more line\n  {}", fresh.next().unwrap_or_default())
}

/// Every block of `blocks` that comes from `source`.
fn of<'a>(blocks: &'a [Block<'a>], source: Source) -> impl Iterator<Item = &'a Block<'a>> {
    blocks.iter().filter(move |block| block.source == source)
}
