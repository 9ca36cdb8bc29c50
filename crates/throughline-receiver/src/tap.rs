//! Listening in on every accepted request.

use crate::Signal;

/// Sees each accepted request as one line of OTLP-JSON.
///
/// A line is a whole `TracesData`, `LogsData` or `MetricsData` without a line feed. It comes before the client gets its answer and
/// before the request's items can be read from the receiver. Under
/// [`PartialSuccess`](crate::Behaviour::PartialSuccess) it holds the rejected items too.
///
/// It runs on the receiver's own task, one request after the other on each connection, so it should be quick. Any closure over a
/// `&str` is a tap; [`OtlpJsonFile`](crate::OtlpJsonFile) is one that writes a file.
pub trait Tap: Send + Sync + 'static {
    /// Takes one line.
    fn line(&self, signal: Signal, json: &str);
}

impl<F: Fn(&str) + Send + Sync + 'static> Tap for F {
    fn line(&self, _signal: Signal, json: &str) {
        self(json);
    }
}
