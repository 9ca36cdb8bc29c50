//! What goes to standard output.

use std::io::{self, Write};

use super::picture::{Look, WIDTH};

/// Writes lines, each at once; where nobody reads them any more, that is an error and not a panic.
#[derive(Clone, Copy, Debug)]
pub(super) struct Printer {
    look: Look,
}

impl Printer {
    pub(super) const fn new(look: Look) -> Self {
        Self { look }
    }

    pub(super) const fn look(self) -> Look {
        self.look
    }

    pub(super) fn line(self, text: &str) -> io::Result<()> {
        let mut out = io::stdout().lock();
        writeln!(out, "{text}")?;
        out.flush()
    }

    /// A text that goes on below where it is too long for a line, indented by as much as `mark` takes.
    pub(super) fn text(self, mark: &str, text: &str) -> io::Result<()> {
        let indent = " ".repeat(mark.chars().count());
        for (place, line) in wrap(text, WIDTH - indent.len()).iter().enumerate() {
            self.line(&format!("{}{line}", if place == 0 { mark } else { &indent }))?;
        }
        Ok(())
    }
}

/// Lines of at most so many characters, unless a word alone is longer.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                *line += &format!(" {word}")
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stay_whole() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("longer than", 3), ["longer", "than"]);
        assert!(wrap("", 7).is_empty());
    }
}
