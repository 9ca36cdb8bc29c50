//! One notion of what is current for `tracing` spans and the plain OpenTelemetry API.

use std::any::Any;

use opentelemetry::{
    Context as SdkContext,
    trace::{self, TraceContextExt},
};
use throughline_core::{Companion, Context, ContextBridge, SpanContext, install_bridge};

use super::convert;

/// Joins the context of the OpenTelemetry API with ours, for the whole process and for good.
///
/// From then on, `opentelemetry::Context::current()` sees the innermost span as the parent, ours or theirs; a tracer from
/// `opentelemetry::global` makes children of our spans; and our spans, headers and carried tasks inside a span of theirs
/// belong to that span. Correlation id and baggage of ours go through spans of theirs.
///
/// It works under either span layer, and costs a few hundred nanoseconds each time that a span is entered; who does not
/// call it pays nothing. [`OpenTelemetry`](super::OpenTelemetry) calls it. Calling it again does nothing.
///
/// Under the native layer, the current span of the API is a stand-in that cannot be written to (`is_recording` is
/// false): use [`SpanExt`](throughline_core::SpanExt) for that.
pub fn join_contexts() {
    let _once = install_bridge(Bridge);
}

#[derive(Debug)]
struct Bridge;

/// Our context, as a value of theirs: it goes along into whatever is derived from it.
#[derive(Debug)]
struct Ours(Context);

struct Alive;

impl Drop for Alive {
    fn drop(&mut self) {}
}

thread_local! {
    /// Made after the API's own thread-local and therefore gone before it: the API panics on a thread that is being torn
    /// down, and we must not ask it then.
    static ALIVE: Alive = {
        SdkContext::map_current(|_| ());
        Alive
    };
}

impl ContextBridge for Bridge {
    fn enter(&self, context: &Context, companion: Option<&Companion>) -> Option<Box<dyn Any>> {
        ALIVE.try_with(|_| ()).ok()?;
        let known = companion.and_then(|companion| companion.downcast_ref::<SdkContext>()).cloned();
        let entered = known.unwrap_or_else(|| around(context, context.span().map(convert::to_sdk)));
        Some(Box::new(entered.attach()))
    }

    fn current(&self) -> Option<Context> {
        ALIVE.try_with(|_| ()).ok()?;
        SdkContext::map_current(read)
    }

    fn is_suppressed(&self) -> bool {
        ALIVE.try_with(|_| ()).is_ok() && SdkContext::is_current_telemetry_suppressed()
    }
}

/// What is current on their side, with `context` inside and this span as the parent of what is created there.
pub(super) fn around(context: &Context, parent: Option<trace::SpanContext>) -> SdkContext {
    SdkContext::map_current(|current| current.with_value(Ours(context.clone())))
        .with_remote_span_context(parent.unwrap_or(trace::SpanContext::NONE))
}

/// Our view of a context of theirs: their span, and everything else from the scope of ours around it.
pub(super) fn read(theirs: &SdkContext) -> Option<Context> {
    let around = theirs.get::<Ours>().map(|ours| ours.0.clone());
    let span = theirs.span();
    let span = span.span_context();
    match around {
        Some(around) if around.span().is_some_and(|own| convert::is_same(own, span)) => Some(around),
        around => {
            let Some(mut own) = convert::from_sdk(span) else { return around };
            let around = around.unwrap_or_default();
            if let Some(above) = around.span().filter(|above| above.trace_id() == own.trace_id()) {
                own = completed(&own, above);
            }
            Some(around.with_span(own))
        }
    }
}

/// What the API cannot hold and the SDK does not hand on is known from the span of ours above, in the same trace.
fn completed(theirs: &SpanContext, above: &SpanContext) -> SpanContext {
    let flags = theirs.flags().with_random(above.flags().is_random());
    let state = match theirs.tracestate() {
        state if state.is_empty() => above.tracestate(),
        state => state,
    };
    SpanContext::new(theirs.trace_id(), theirs.span_id(), flags)
        .with_tracestate(state.clone())
        .remote(theirs.is_remote())
}
