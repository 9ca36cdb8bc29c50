//! Quoted code stands in the file that it is quoted from.

use std::fs;

use super::page::{Block, Source};
use crate::command;

/// What stands in a stead for lines that are left out.
const LEFT_OUT: &str = "…";

/// The quotes that aren't in their file, each with the first line that isn't there.
pub(super) fn strays(blocks: &[Block<'_>]) -> Vec<String> {
    super::of(blocks, Source::Code)
        .filter_map(|block| match fs::read_to_string(command::root().join(block.of)) {
            Ok(file) => {
                stray(&file, block.text).map(|line| format!("{} has no (further) line {line:?}", block.of))
            }
            Err(error) => Some(format!("{}: {error}", block.of)),
        })
        .collect()
}

/// The first line of the quote that doesn't follow the ones before it in the file; indentation doesn't count.
fn stray<'a>(file: &str, quote: &'a str) -> Option<&'a str> {
    let mut lines = file.lines().map(str::trim);
    let wanted = quote.lines().map(str::trim);
    wanted
        .filter(|line| !line.is_empty() && !line.ends_with(LEFT_OUT))
        .find(|line| !lines.any(|found| found == *line))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_must_stand_in_the_file_in_order() {
        let file = "fn a() {\n    b();\n    c();\n}\n";
        for (quote, expected) in [
            ("b();\nc();", None),
            ("fn a() {\n// …\n}", None),
            ("c();\nb();", Some("b();")),
            ("d();", Some("d();")),
        ] {
            assert_eq!(stray(file, quote), expected, "{quote:?}");
        }
    }
}
