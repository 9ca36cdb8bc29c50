//! Waiting for the trace of an order, in what the receiver got and nowhere else.

use std::{error::Error, time::Duration};

use throughline_receiver::{Received, Receiver, SpanKind, TraceId};
use throughline_testing::SpanTree;

use crate::arguments::Service;

/// The order's trace, once it is whole: each consumer has reported a span for each of its messages, and no span's parent is
/// missing.
pub(super) async fn whole_trace(
    receiver: &Receiver,
    trace_id: &str,
    messages: &[(Service, u64)],
    limit: Duration,
) -> Result<SpanTree, Box<dyn Error>> {
    let id = TraceId::from_hex(trace_id).ok_or_else(|| format!("{trace_id:?} is no trace id"))?;
    let whole = receiver.wait_for(|received| is_whole(received, id, messages), limit).await;
    let tree = SpanTree::new(receiver.trace(id).spans);
    if whole.is_err() {
        let services: Vec<_> = tree.spans().iter().map(|span| span.service()).collect();
        return Err(format!("trace {trace_id} is not whole after {limit:?}: spans of {services:?}").into());
    }
    Ok(tree)
}

fn is_whole(received: &Received, id: TraceId, messages: &[(Service, u64)]) -> bool {
    let tree = SpanTree::new(received.trace(id).spans);
    let processed = |service: Service| {
        let consumers = tree.spans().iter().filter(|span| span.kind == SpanKind::Consumer);
        consumers.filter(|span| span.service() == service.name()).count() as u64
    };
    tree.parentless().next().is_none()
        && tree.roots().count() == 1
        && messages.iter().all(|(service, expected)| processed(*service) >= *expected)
}
