//! That everything which was seen is one story.

use std::collections::BTreeMap;

use throughline_receiver::TraceId;

use crate::{Seen, SpanTree, TreeText};

/// Asserts that all spans, and all log records that name a trace, belong to one trace, and returns its id.
///
/// ```
/// use throughline_testing::{Capture, one_trace};
///
/// let capture = Capture::new("orders");
/// capture.run(|| tracing::info_span!("accept").in_scope(|| drop(tracing::info_span!("store"))));
/// let trace = one_trace(&capture);
/// assert_eq!(trace, capture.span("store").trace_id);
/// ```
///
/// # Panics
/// If there is no span at all, or more than one trace; the message shows the tree of each.
#[track_caller]
pub fn one_trace(seen: impl Into<Seen>) -> TraceId {
    let seen = seen.into();
    let mut traces: BTreeMap<TraceId, Vec<_>> = BTreeMap::new();
    for record in &seen.logs {
        traces.extend(record.trace_id.map(|id| (id, Vec::new())));
    }
    for span in &seen.spans {
        traces.entry(span.trace_id).or_default().push(span.clone());
    }
    match traces.first_key_value() {
        Some((trace, spans)) if traces.len() == 1 && !spans.is_empty() => *trace,
        _ => panic!("one trace was expected, there are {}:\n{}", traces.len(), shown(traces)),
    }
}

fn shown(traces: BTreeMap<TraceId, Vec<std::sync::Arc<throughline_receiver::Span>>>) -> String {
    let one = |(trace, spans): (TraceId, Vec<_>)| {
        let tree = TreeText::new().write(&SpanTree::new(spans));
        format!("trace {trace}\n{}", if tree.is_empty() { "(log records only)" } else { &tree })
    };
    traces.into_iter().map(one).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Capture;

    #[test]
    #[should_panic(expected = "orders: audit (internal) #1")]
    fn two_roots_are_two_traces_and_both_are_shown() {
        let capture = Capture::new("orders");
        capture.run(|| drop((tracing::info_span!("accept"), tracing::info_span!("audit"))));
        one_trace(&capture);
    }

    #[test]
    #[should_panic(expected = "there are 0")]
    fn nothing_is_not_one_trace() {
        one_trace(&Capture::new("orders"));
    }
}
