//! Making a decision seen: on the caller's span, and in the metrics.

use throughline_core::{
    Metric, Pipeline, SpanExt, Value,
    semconv::own::{RESILIENCE_DECISION, RESILIENCE_NAME, RESILIENCE_PATTERN},
};
use tracing::Span;

/// Sets `attributes` on the span that the caller is in; costs one look-up, and nothing where it isn't recorded.
pub(crate) fn on_span(attributes: &[(&'static str, Value<'_>)]) {
    Span::current().edit(|record| {
        for (key, value) in attributes {
            record.attribute(key, *value);
        }
    });
}

/// Counts what `pattern` of this `name` decided. Both come from code, never from a request.
pub(crate) fn count(pattern: &'static str, name: &str, decision: &'static str) {
    let pipeline = Pipeline::current();
    if pipeline.has_recorder() {
        pipeline.record(
            Metric::ResilienceDecisions,
            1.0,
            &[
                (RESILIENCE_PATTERN, pattern.into()),
                (RESILIENCE_NAME, name.into()),
                (RESILIENCE_DECISION, decision.into()),
            ],
        );
    }
}
