//! That no span hangs in the air.

use crate::{Seen, SpanTree};

/// Asserts that the parent of every span was seen too, in the same trace, or is said to live in another process.
///
/// A parent that is missing was never exported: its span was leaked, dropped on the way, or belongs to another pipeline.
///
/// ```
/// use throughline_testing::{Capture, no_orphans};
///
/// let capture = Capture::new("orders");
/// capture.run(|| tracing::info_span!("accept").in_scope(|| drop(tracing::info_span!("store"))));
/// no_orphans(&capture);
/// ```
///
/// # Panics
/// If a parent is missing; the message shows the tree, in which such a span says `MISSING PARENT`.
#[track_caller]
pub fn no_orphans(seen: impl Into<Seen>) {
    let seen = seen.into();
    let tree = SpanTree::new(seen.spans.iter().cloned());
    let orphans: Vec<_> = tree
        .parentless()
        .filter(|span| span.parent_is_remote() != Some(true))
        .map(|span| format!("{:?}", span.name))
        .collect();
    assert!(orphans.is_empty(), "the parents of {} were not seen:\n{}", orphans.join(", "), seen.tree());
}

#[cfg(test)]
mod tests {
    use throughline_core::{Context, SpanContext, SpanExt, with_remote};

    use super::*;
    use crate::Capture;

    #[test]
    fn a_parent_in_another_process_is_no_fault() {
        let capture = Capture::new("orders");
        capture.run(|| {
            let here = tracing::info_span!("caller").context();
            let caller = here.span().cloned().map(|span| SpanContext::remote(span, true));
            let incoming = Context::default().with_span(caller.expect("a span"));
            with_remote(&incoming, || tracing::info_span!("accept").in_scope(|| ()));
        });
        let mut spans = capture.spans();
        spans.retain(|span| span.name == "accept");
        no_orphans(spans);
    }

    #[test]
    #[should_panic(expected = "orders: store (internal) #1 MISSING PARENT")]
    fn a_span_whose_parent_never_ended_is_shown() {
        let capture = Capture::new("orders");
        capture.run(|| {
            let accept = tracing::info_span!("accept");
            accept.in_scope(|| tracing::info_span!("store"));
            no_orphans(&capture);
        });
    }
}
