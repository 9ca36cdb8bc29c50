//! What was seen of a system, from wherever a test looked at it.

use std::sync::Arc;

use throughline_receiver::{LogRecord, Metric, Received, Receiver, Span};

use crate::{Capture, SpanTree, TreeText};

/// Spans, log records, metrics and plain texts that a test looks at together.
///
/// The assertions ([`one_trace`](crate::one_trace), [`no_orphans`](crate::no_orphans), [`no_secrets`](crate::no_secrets))
/// take whatever becomes one: a `&Capture`, a `&Receiver`, a `&Received`, a list of spans. What a program wrote elsewhere is
/// added with [`text`](Self::text):
///
/// ```
/// use throughline_testing::{Capture, Seen, no_secrets};
///
/// let capture = Capture::new("orders");
/// let printed = "GET /orders/7 200"; // what the service wrote to its standard output
/// no_secrets(Seen::from(&capture).text("stdout", printed), ["hunter2"]);
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "what was seen says nothing by itself"]
pub struct Seen {
    pub(crate) spans: Vec<Arc<Span>>,
    pub(crate) logs: Vec<Arc<LogRecord>>,
    pub(crate) metrics: Vec<Arc<Metric>>,
    /// Where it was written, and what.
    pub(crate) texts: Vec<(String, String)>,
}

impl Seen {
    /// Adds something that was written: log lines, a response, a header. `place` names it in what an assertion says.
    pub fn text(mut self, place: &str, text: impl Into<String>) -> Self {
        self.texts.push((place.to_owned(), text.into()));
        self
    }

    pub(crate) fn tree(&self) -> String {
        TreeText::new().write(&SpanTree::new(self.spans.iter().cloned()))
    }
}

/// Its spans, log lines and measurements.
impl From<&Capture> for Seen {
    fn from(capture: &Capture) -> Self {
        let lines = capture.raw_lines().into_iter().map(|line| ("log line".to_owned(), line));
        let measured = capture.all_measurements().into_iter().map(|one| {
            let labels: Vec<_> = one.attributes.iter().map(|(key, value)| format!("{key}={value}")).collect();
            (format!("measurement of {:?}", one.metric), labels.join(" "))
        });
        Self { spans: capture.spans(), texts: lines.chain(measured).collect(), ..Self::default() }
    }
}

/// Everything that has arrived until now.
impl From<&Received> for Seen {
    fn from(received: &Received) -> Self {
        Self {
            spans: received.spans(),
            logs: received.logs(),
            metrics: received.metrics(),
            texts: Vec::new(),
        }
    }
}

/// Everything that has arrived until now.
impl From<&Receiver> for Seen {
    fn from(receiver: &Receiver) -> Self {
        receiver.received().into()
    }
}

/// These spans alone.
impl From<Vec<Arc<Span>>> for Seen {
    fn from(spans: Vec<Arc<Span>>) -> Self {
        Self { spans, ..Self::default() }
    }
}

/// These spans alone.
impl From<&[Arc<Span>]> for Seen {
    fn from(spans: &[Arc<Span>]) -> Self {
        spans.to_vec().into()
    }
}
