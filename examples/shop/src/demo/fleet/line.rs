//! What a service says on its standard output, one fact a line.

use std::net::SocketAddr;

use super::Report;

/// A fact that the demo waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// It is ready, and listens there.
    Ready(SocketAddr),
    /// A message about this order was dealt with.
    Handled(Word, i64),
    /// Its last word: what became of its telemetry.
    Report(Report),
}

/// How a message was dealt with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::demo) enum Word {
    Done,
    /// One attempt failed; another may follow.
    Failed,
    /// It had been handled before.
    Duplicate,
    /// No attempt succeeded: it is a dead letter now.
    Dead,
}

impl Line {
    /// The fact on this line; whatever else a service may print is none.
    pub(super) fn parse(line: &str) -> Option<Self> {
        let mut words = line.split_whitespace();
        let fact = match words.next()? {
            "listening" => Self::Ready(words.next()?.parse().ok()?),
            "handled" => Self::Handled(Word::parse(words.next()?)?, words.next()?.parse().ok()?),
            "report" => Self::Report(Report::parse(&mut words)?),
            _ => return None,
        };
        words.next().is_none().then_some(fact)
    }
}

impl Word {
    fn parse(word: &str) -> Option<Self> {
        match word {
            "done" => Some(Self::Done),
            "failed" => Some(Self::Failed),
            "duplicate" => Some(Self::Duplicate),
            "dead" => Some(Self::Dead),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_are_read_and_nothing_else() {
        for (line, expected) in [
            ("listening 127.0.0.1:80", Some(Line::Ready(([127, 0, 0, 1], 80).into()))),
            ("handled done 7", Some(Line::Handled(Word::Done, 7))),
            ("handled dead 7", Some(Line::Handled(Word::Dead, 7))),
            ("report 9 8 1 5 0", Some(Line::Report(Report::new([9, 8, 1, 5, 0])))),
            ("report 9 8", None),
            ("handled done 7 8", None),
            ("handled gone 7", None),
            ("listening somewhere", None),
            ("", None),
        ] {
            assert_eq!(Line::parse(line), expected, "{line:?}");
        }
    }
}
