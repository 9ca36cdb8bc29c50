//! Output with lines left out, as a page for hurried readers shows it.

/// The first line of `excerpt` that `output` doesn't have where it should: after those before it.
///
/// Compared are words. What differs from run to run has a digit in it, or is the drawing of a tree.
pub(super) fn missing<'a>(excerpt: &'a str, output: &str) -> Option<&'a str> {
    let mut printed = output.lines();
    let mut lines = excerpt.lines().filter(|line| words(line).next().is_some());
    lines.find(|line| !printed.any(|other| words(other).eq(words(line))))
}

fn words(line: &str) -> impl Iterator<Item = &str> {
    line.split_whitespace().filter(|word| {
        let is_drawing = !word.chars().any(char::is_alphanumeric);
        !is_drawing && !word.contains(|letter: char| letter.is_ascii_digit())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTPUT: &str = "\
order 1  trace_id=c88a
gateway  POST /orders   201   52.4ms
├─ gateway  GET         → orders-1
│  · INFO order stored
└─ gateway  SELECT      sqlite  0.5ms";

    #[test]
    fn an_excerpt_has_lines_left_out_and_numbers_of_its_own() {
        let excerpt =
            "order 7  trace_id=0000\n\ngateway  POST /orders  201  1.0ms\n└─ gateway  SELECT  sqlite  9.9ms";
        assert_eq!(missing(excerpt, OUTPUT), None);
    }

    #[test]
    fn a_line_that_is_not_there_is_named() {
        for (excerpt, line) in [
            ("gateway  POST /orders\ngateway  UPDATE sqlite", "gateway  UPDATE sqlite"),
            ("gateway  SELECT sqlite\ngateway  POST /orders", "gateway  POST /orders"),
            ("· INFO order lost", "· INFO order lost"),
        ] {
            assert_eq!(missing(excerpt, OUTPUT), Some(line));
        }
    }
}
