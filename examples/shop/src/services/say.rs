//! What a service says on its standard output, one fact a line, for whoever has started it.

use std::{
    fmt,
    io::{self, Write},
    net::SocketAddr,
};

use throughline::Report;

/// It is ready.
pub(super) fn listening(address: SocketAddr) {
    say(format_args!("listening {address}"));
}

/// A message about this order was dealt with.
pub(super) fn handled(word: Word, order: i64) {
    say(format_args!("handled {} {order}", word.as_str()));
}

/// Its last word: spans made, delivered, dropped; log lines written, dropped.
pub(super) fn report(report: Option<&Report>) {
    let export = report.map(Report::export);
    let [made, delivered, dropped] =
        export.map_or([0; 3], |export| [export.accepted(), export.exported(), export.lost()]);
    let [lines, lines_dropped] =
        report.and_then(Report::logs).map_or([0; 2], |logs| [logs.written(), logs.lost()]);
    say(format_args!("report {made} {delivered} {dropped} {lines} {lines_dropped}"));
}

/// How a message was dealt with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Word {
    Done,
    /// One attempt failed.
    Failed,
    /// It had been handled before.
    Duplicate,
    /// No attempt succeeded.
    Dead,
}

impl Word {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Duplicate => "duplicate",
            Self::Dead => "dead",
        }
    }
}

/// `println!` would panic where nobody listens any more, which is no reason for a service to do so.
fn say(line: fmt::Arguments<'_>) {
    drop(writeln!(io::stdout().lock(), "{line}"));
}
