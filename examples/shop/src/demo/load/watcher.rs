//! What the services told, counted while it comes: only the counts are kept.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};

use throughline_receiver::{Received, Span, SpanKind, TraceId};
use tokio::{sync::oneshot, task::JoinHandle};

use crate::arguments::Service;

/// How often spans are taken from the receiver.
const TAKE_PERIOD: Duration = Duration::from_millis(100);
/// Who must have been at work on an order for its trace to be whole, each with its bit.
const PARTS: [(Service, SpanKind); 6] = [
    (Service::Gateway, SpanKind::Server),
    (Service::Orders, SpanKind::Producer),
    (Service::Fulfilment, SpanKind::Consumer),
    (Service::Notifications, SpanKind::Consumer),
    (Service::RecentOrders, SpanKind::Consumer),
    (Service::Analytics, SpanKind::Consumer),
];
const WHOLE: u8 = (1 << PARTS.len()) - 1;

/// Counts what arrives until it is stopped.
#[derive(Debug)]
pub(super) struct Watcher {
    stop: oneshot::Sender<()>,
    counting: JoinHandle<Seen>,
}

/// The counts. Holds a few bytes for each trace, one for each order.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    spans: u64,
    missed: u64,
    errors: BTreeMap<String, u64>,
    traces: HashMap<TraceId, u8>,
}

impl Watcher {
    pub(super) fn start(received: Received) -> Self {
        let (stop, stopped) = oneshot::channel();
        Self { stop, counting: tokio::spawn(count(received, stopped)) }
    }

    /// The counts with all that has arrived.
    pub(super) async fn stop(self) -> Seen {
        let _counts_no_more = self.stop.send(());
        self.counting.await.unwrap_or_default()
    }
}

async fn count(received: Received, mut stopped: oneshot::Receiver<()>) -> Seen {
    let mut seen = Seen::default();
    loop {
        let is_last = tokio::time::timeout(TAKE_PERIOD, &mut stopped).await.is_ok();
        received.take_spans().iter().for_each(|span| seen.note(span));
        seen.missed = received.dropped().spans;
        if is_last {
            return seen;
        }
    }
}

impl Seen {
    fn note(&mut self, span: &Arc<Span>) {
        self.spans += 1;
        if span.status.is_error() {
            *self.errors.entry(span.service().to_owned()).or_default() += 1;
        }
        let part =
            PARTS.iter().position(|(service, kind)| service.name() == span.service() && *kind == span.kind);
        if let Some(part) = part {
            *self.traces.entry(span.trace_id).or_default() |= 1 << part;
        }
    }

    pub(super) const fn spans(&self) -> u64 {
        self.spans
    }

    /// Spans that were pushed out of the receiver before they were counted.
    pub(super) const fn missed(&self) -> u64 {
        self.missed
    }

    /// Failed spans of each service.
    pub(super) fn errors(&self) -> impl Iterator<Item = (&str, u64)> {
        self.errors.iter().map(|(service, errors)| (service.as_str(), *errors))
    }

    /// How many of these traces have all their parts.
    pub(super) fn whole(&self, traces: &[TraceId]) -> u64 {
        traces.iter().filter(|id| self.traces.get(id) == Some(&WHOLE)).count() as u64
    }
}
