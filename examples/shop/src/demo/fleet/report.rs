//! What became of a service's telemetry, in its own words.

use std::{fmt, iter::Sum, ops::Add};

/// Spans and log lines of one service, or of several.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::demo) struct Report {
    spans_made: u64,
    spans_delivered: u64,
    spans_dropped: u64,
    lines_written: u64,
    lines_dropped: u64,
}

impl Report {
    pub(super) const fn new(
        [spans_made, spans_delivered, spans_dropped, lines_written, lines_dropped]: [u64; 5],
    ) -> Self {
        Self { spans_made, spans_delivered, spans_dropped, lines_written, lines_dropped }
    }

    /// Reads the five numbers.
    pub(super) fn parse<'a>(words: &mut impl Iterator<Item = &'a str>) -> Option<Self> {
        let mut numbers = [0; 5];
        for number in &mut numbers {
            *number = words.next()?.parse().ok()?;
        }
        Some(Self::new(numbers))
    }

    pub(in crate::demo) const fn spans_made(&self) -> u64 {
        self.spans_made
    }

    pub(in crate::demo) const fn spans_delivered(&self) -> u64 {
        self.spans_delivered
    }

    pub(in crate::demo) const fn spans_dropped(&self) -> u64 {
        self.spans_dropped
    }

    pub(in crate::demo) const fn lines_written(&self) -> u64 {
        self.lines_written
    }

    pub(in crate::demo) const fn lines_dropped(&self) -> u64 {
        self.lines_dropped
    }
}

impl Add for Report {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            spans_made: self.spans_made + other.spans_made,
            spans_delivered: self.spans_delivered + other.spans_delivered,
            spans_dropped: self.spans_dropped + other.spans_dropped,
            lines_written: self.lines_written + other.lines_written,
            lines_dropped: self.lines_dropped + other.lines_dropped,
        }
    }
}

impl Sum for Report {
    fn sum<I: Iterator<Item = Self>>(reports: I) -> Self {
        reports.fold(Self::default(), Add::add)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { spans_made, spans_delivered, spans_dropped, lines_written, lines_dropped } = self;
        write!(
            f,
            "{spans_made} spans made, {spans_delivered} delivered, {spans_dropped} dropped; \
             {lines_written} log lines written, {lines_dropped} dropped"
        )
    }
}
