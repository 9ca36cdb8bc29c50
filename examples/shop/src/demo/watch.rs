//! Waiting for the trace of an order, in what the receiver got and nowhere else.

use std::{error::Error, time::Duration};

use throughline_receiver::{Received, Receiver, TraceId};
use throughline_testing::SpanTree;

use crate::arguments::Service;

/// The order's trace, once it is whole: `last` has reported its span, and no span's parent is missing.
pub(super) async fn whole_trace(
    receiver: &Receiver,
    trace_id: &str,
    last: Service,
    limit: Duration,
) -> Result<SpanTree, Box<dyn Error>> {
    let id = TraceId::from_hex(trace_id).ok_or_else(|| format!("{trace_id:?} is no trace id"))?;
    let whole = receiver.wait_for(|received| is_whole(received, id, last), limit).await;
    let tree = SpanTree::new(receiver.trace(id).spans);
    if whole.is_err() {
        let services: Vec<_> = tree.spans().iter().map(|span| span.service()).collect();
        return Err(format!("trace {trace_id} is not whole after {limit:?}: spans of {services:?}").into());
    }
    Ok(tree)
}

fn is_whole(received: &Received, id: TraceId, last: Service) -> bool {
    let tree = SpanTree::new(received.trace(id).spans);
    let last_was_seen = tree.spans().iter().any(|span| span.service() == last.name());
    last_was_seen && tree.parentless().next().is_none() && tree.roots().count() == 1
}
