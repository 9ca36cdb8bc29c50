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
/// All but what an instance of orders tells, the one service of which instances are killed.
const WITHOUT_ORDERS: u8 = WHOLE & !(1 << 1);

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

    /// What these traces have of their parts.
    pub(super) fn parts(&self, traces: &[TraceId]) -> Parts {
        let with = |parts: u8| traces.iter().filter(|id| self.traces.get(id) == Some(&parts)).count() as u64;
        let (whole, without_orders) = (with(WHOLE), with(WITHOUT_ORDERS));
        Parts { whole, without_orders, broken: traces.len() as u64 - whole - without_orders }
    }
}

/// How many traces have which of their parts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Parts {
    /// All of them.
    pub(super) whole: u64,
    /// All but what the instance of orders told: spans that it had not sent yet died with it.
    pub(super) without_orders: u64,
    pub(super) broken: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_part_that_may_be_missing_is_that_of_orders() {
        let (place, _) =
            PARTS.iter().enumerate().find(|(_, (service, _))| *service == Service::Orders).unwrap();
        assert_eq!(WITHOUT_ORDERS, WHOLE & !(1 << place));
    }

    #[test]
    fn traces_are_told_apart_by_what_they_lack() {
        let ids: Vec<_> = (1..=4_u8).map(|number| TraceId::from_bytes([number; 16])).collect();
        let parts = [WHOLE, WITHOUT_ORDERS, WHOLE & !1];
        let seen = Seen { traces: ids.iter().copied().zip(parts).collect(), ..Seen::default() };
        assert_eq!(seen.parts(&ids), Parts { whole: 1, without_orders: 1, broken: 2 });
    }
}
