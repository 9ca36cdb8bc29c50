//! Output with lines left out, as a page for hurried readers shows it.

/// The first line of `excerpt` that `output` doesn't have, or not as often.
///
/// Compared are words. What differs from run to run has a digit in it, or is the drawing of a tree; and branches of a tree
/// that grow at the same time come in any order.
pub(super) fn missing<'a>(excerpt: &'a str, output: &str) -> Option<&'a str> {
    let mut printed: Vec<Vec<_>> = output.lines().map(|line| words(line).collect()).collect();
    let mut lines = excerpt.lines().filter(|line| words(line).next().is_some());
    lines.find(|line| {
        let place = printed.iter().position(|other| other.iter().copied().eq(words(line)));
        place.map(|place| printed.swap_remove(place)).is_none()
    })
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
        for excerpt in [
            "order 7  trace_id=0000\n\ngateway  POST /orders  201  1.0ms\n└─ gateway  SELECT  sqlite  9.9ms",
            "gateway  SELECT sqlite\ngateway  POST /orders",
        ] {
            assert_eq!(missing(excerpt, OUTPUT), None, "{excerpt}");
        }
    }

    #[test]
    fn a_line_that_is_not_there_is_named() {
        for (excerpt, line) in [
            ("gateway  POST /orders\ngateway  UPDATE sqlite", "gateway  UPDATE sqlite"),
            ("gateway  GET\n├─ gateway  GET → orders-9", "├─ gateway  GET → orders-9"),
            ("· INFO order lost", "· INFO order lost"),
        ] {
            assert_eq!(missing(excerpt, OUTPUT), Some(line));
        }
    }
}
