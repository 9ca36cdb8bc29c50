//! Waiting for the trace of an order, in what the receiver got and nowhere else.

use std::{error::Error, time::Duration};

use throughline_receiver::{Received, Receiver, SpanKind, TraceId, WaitTimeout};
use throughline_testing::{Node, SpanTree};
use tokio::time::timeout;

use crate::arguments::Service;

/// How long nothing more of a trace must come: a few times as long as the services keep spans back.
const QUIET: Duration = Duration::from_millis(300);

/// The order's trace, once it is whole: each consumer has reported a span for each of its attempts, no span's parent is
/// missing, and no more spans come.
pub(super) async fn whole_trace(
    receiver: &Receiver,
    trace_id: &str,
    attempts: &[(Service, u64)],
    limit: Duration,
) -> Result<SpanTree, Box<dyn Error>> {
    let id = TraceId::from_hex(trace_id).ok_or_else(|| format!("{trace_id:?} is no trace id"))?;
    let whole = timeout(limit, until_whole(receiver, id, attempts, limit)).await;
    let tree = SpanTree::new(receiver.trace(id).spans);
    if matches!(whole, Ok(Ok(()))) {
        return Ok(tree);
    }
    let services: Vec<_> = tree.spans().iter().map(|span| span.service()).collect();
    Err(format!("trace {trace_id} is not whole after {limit:?}: spans of {services:?}").into())
}

async fn until_whole(
    receiver: &Receiver,
    id: TraceId,
    attempts: &[(Service, u64)],
    limit: Duration,
) -> Result<(), WaitTimeout> {
    loop {
        receiver.wait_for(|received| is_whole(received, id, attempts), limit).await?;
        let before = receiver.trace(id).spans.len();
        let more = |received: &Received| received.trace(id).spans.len() != before;
        if receiver.wait_for(more, QUIET).await.is_err() {
            return Ok(());
        }
    }
}

fn is_whole(received: &Received, id: TraceId, attempts: &[(Service, u64)]) -> bool {
    let tree = SpanTree::new(received.trace(id).spans);
    let processed = |service: Service| {
        let spans = tree.spans().iter();
        let consumers =
            spans.filter(|span| span.kind == SpanKind::Consumer && span.name.starts_with("process"));
        consumers.filter(|span| span.service() == service.name()).count() as u64
    };
    tree.parentless().next().is_none()
        && tree.roots().count() == 1
        && tree.roots().all(every_call_has_its_other_side)
        && attempts.iter().all(|(service, expected)| processed(*service) >= *expected)
}

/// A request that came to an end, or that its caller gave up, was served by somebody whose span may come later.
fn every_call_has_its_other_side(node: Node<'_>) -> bool {
    let ended = |end: &str| node.span().attribute("throughline.http.end").is_some_and(|value| *value == *end);
    let was_sent = node.span().kind == SpanKind::Client && (ended("complete") || ended("cancelled"));
    (!was_sent || node.children().next().is_some()) && node.children().all(every_call_has_its_other_side)
}
