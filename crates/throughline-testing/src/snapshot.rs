//! A text in a file that a test compares with what it got.

use std::{fs, io, path::Path};

use similar::{ChangeTag, TextDiff};
use throughline_core::env::{Environment, THROUGHLINE_UPDATE_SNAPSHOTS};

/// Asserts that `actual` is what the file at `path` says, or makes it so where `THROUGHLINE_UPDATE_SNAPSHOTS=true`.
///
/// Meant for the tree of a trace, in which ids are numbers in the order of appearance: a wrong parent, a lost link or
/// another order changes the text. Relative paths begin at the folder of the package that is tested, as `cargo test` has
/// it. Line ends at the end of the file don't count.
///
/// ```
/// use throughline_testing::{Capture, snapshot};
///
/// let capture = Capture::new("orders");
/// capture.run(|| tracing::info_span!("accept").in_scope(|| drop(tracing::info_span!("store"))));
/// snapshot("tests/snapshots/accept.txt", &capture.tree());
/// ```
///
/// # Panics
/// If the file says something else (the message is the difference), is missing, or can't be read or written.
#[track_caller]
pub fn snapshot(path: impl AsRef<Path>, actual: &str) {
    let mut warnings = Vec::new();
    let update = Environment::process().boolean(THROUGHLINE_UPDATE_SNAPSHOTS, &mut warnings);
    assert!(warnings.is_empty(), "{warnings:?}");
    let path = path.as_ref();
    let outcome = if update { write(path, actual) } else { compare(path, actual) };
    outcome.unwrap_or_else(|problem| panic!("{}: {problem}", path.display()));
}

fn write(path: &Path, actual: &str) -> Result<(), String> {
    // A file that says so already keeps its time of change.
    if compare(path, actual).is_ok() {
        return Ok(());
    }
    let folder = path.parent().unwrap_or(Path::new(""));
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(path, format!("{}\n", actual.trim_end_matches('\n'))))
        .map_err(|error| format!("cannot be written: {error}"))
}

fn compare(path: &Path, actual: &str) -> Result<(), String> {
    let actual = actual.trim_end_matches('\n');
    let update = format!("{THROUGHLINE_UPDATE_SNAPSHOTS}=true makes it what the test got");
    let expected = match fs::read_to_string(path) {
        Ok(text) => text.replace("\r\n", "\n"),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(format!("there is no such file; {update}:\n{actual}"));
        }
        Err(error) => return Err(format!("cannot be read: {error}")),
    };
    let expected = expected.trim_end_matches('\n');
    if expected == actual {
        return Ok(());
    }
    Err(format!(
        "the file (-) says something else than the test got (+); {update}:\n{}",
        diff(expected, actual)
    ))
}

/// Every line, with what was taken away before what came in its place.
fn diff(expected: &str, actual: &str) -> String {
    let mut text = String::new();
    for change in TextDiff::from_lines(expected, actual).iter_all_changes() {
        text.push_str(match change.tag() {
            ChangeTag::Equal => "  ",
            ChangeTag::Delete => "- ",
            ChangeTag::Insert => "+ ",
        });
        text.push_str(change.value().trim_end_matches('\n'));
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snapshot_is_written_and_then_holds() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/tree.txt");
        assert!(compare(&path, "a").unwrap_err().starts_with("there is no such file"));
        write(&path, "a\nb").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "a\nb\n");
        compare(&path, "a\nb").unwrap();
        compare(&path, "a\nb\n").unwrap();
    }

    #[test]
    fn a_wrong_parent_is_shown_as_a_difference() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tree.txt");
        write(&path, "orders: accept (server) #1\n  orders: store (internal) #2\n").unwrap();
        let problem =
            compare(&path, "orders: accept (server) #1\norders: store (internal) #2 MISSING PARENT")
                .unwrap_err();
        let (_, shown) = problem.split_once(":\n").unwrap();
        assert_eq!(
            shown,
            "  orders: accept (server) #1\n\
             -   orders: store (internal) #2\n\
             + orders: store (internal) #2 MISSING PARENT\n"
        );
    }
}
