//! Rows in columns that fit a terminal.

use super::{Look, rows::Row};

/// How wide a picture may be, and any other text.
pub(in crate::demo) const WIDTH: usize = 120;
/// At least; `client_gone !` is longer.
const STATUS_WIDTH_MIN: usize = 7;
const TIME_WIDTH: usize = 9;
/// Between two columns.
const GAP: usize = 2;
/// The column of decisions has at least this, even where the tree is so deep that the picture gets wider.
const WHAT_WIDTH_MIN: usize = 24;

pub(super) fn lay_out(rows: &[Row], look: Look) -> String {
    let columns = Columns::of(rows, look);
    let mut lines = columns.head();
    for row in rows {
        columns.add(row, &mut lines);
    }
    lines.join("\n")
}

struct Columns {
    left: usize,
    what: usize,
    status: usize,
    look: Look,
}

impl Columns {
    fn of(rows: &[Row], look: Look) -> Self {
        let (mut left, mut what, mut status) = ("service / span".len(), "what".len(), STATUS_WIDTH_MIN);
        for row in rows {
            if let Row::Span { left: text, what: parts, status: end, .. } = row {
                left = left.max(width(text));
                status = status.max(width(end));
                what = what.max(width(&parts.join(", ")));
            }
        }
        let time = if look.is_steady() { 0 } else { GAP + TIME_WIDTH };
        let room = WIDTH.saturating_sub(left + GAP + GAP + status + time).max(WHAT_WIDTH_MIN);
        Self { left, what: what.min(room), status, look }
    }

    fn head(&self) -> Vec<String> {
        vec![self.line("service / span", "what", "status", "time")]
    }

    fn add(&self, row: &Row, lines: &mut Vec<String>) {
        match row {
            Row::Text(text) => lines.push(cut(text)),
            Row::Span { left, trunk, what, status, time } => {
                let mut parts = wrap(what, self.what).into_iter();
                lines.push(self.line(left, &parts.next().unwrap_or_default(), status, time));
                lines.extend(parts.map(|part| self.line(trunk, &part, "", "")));
            }
        }
    }

    fn line(&self, left: &str, what: &str, status: &str, time: &str) -> String {
        let columns = [padded(left, self.left), padded(what, self.what), padded(status, self.status)];
        let mut line = columns.join("  ");
        if !self.look.is_steady() {
            line += &format!("  {time:>TIME_WIDTH$}");
        }
        line.trim_end().to_owned()
    }
}

/// As many parts on a line as fit.
fn wrap(parts: &[String], room: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for part in parts {
        match lines.last_mut() {
            Some(line) if width(line) + 2 + width(part) <= room => *line += &format!(", {part}"),
            _ => lines.push(part.clone()),
        }
    }
    lines
}

fn cut(text: &str) -> String {
    if width(text) <= WIDTH {
        return text.to_owned();
    }
    text.chars().take(WIDTH - 1).chain(['…']).collect()
}

/// Pads by characters: the branches are wider in bytes than on the screen.
fn padded(text: &str, wanted: usize) -> String {
    format!("{text}{}", " ".repeat(wanted.saturating_sub(width(text))))
}

fn width(text: &str) -> usize {
    text.chars().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(left: &str, what: &[&str]) -> Row {
        Row::Span {
            left: left.to_owned(),
            trunk: "│".to_owned(),
            what: what.iter().map(|part| (*part).to_owned()).collect(),
            status: "201".to_owned(),
            time: "1.0ms".to_owned(),
        }
    }

    #[test]
    fn columns_are_as_wide_as_they_must_be() {
        let rows = [span("a", &["→ b"]), Row::Text("│  · INFO said".to_owned())];
        assert_eq!(
            lay_out(&rows, Look::Live),
            "service / span  what  status        time\n\
             a               → b   201          1.0ms\n\
             │  · INFO said"
        );
        assert_eq!(
            lay_out(&rows, Look::Steady),
            "service / span  what  status\n\
             a               → b   201\n\
             │  · INFO said"
        );
    }

    #[test]
    fn what_does_not_fit_goes_on_below() {
        let (long, longer) = ("x".repeat(30), "y".repeat(40));
        let text =
            lay_out(&[span(&"a".repeat(50), &[&long, &longer]), Row::Text("z".repeat(200))], Look::Live);
        assert_eq!(text.lines().count(), 4, "{text}");
        assert!(text.lines().all(|line| width(line) <= WIDTH), "{text}");
        assert!(text.contains(&format!("│{}  {longer}", " ".repeat(49))), "{text}");
        assert!(text.ends_with("z…"), "{text}");
    }
}
