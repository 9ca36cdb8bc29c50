//! Making a decision seen: on the caller's span, on that of the call, and in the metrics.

#![cfg_attr(
    not(feature = "full"),
    allow(
        dead_code,
        reason = "each layer needs some of this, and not one line is for each choice of features"
    )
)]

use throughline_core::{
    CallFacts, CallValue, Metric, Pipeline, Value, edit_current_span,
    semconv::own::{RESILIENCE_DECISION, RESILIENCE_NAME, RESILIENCE_PATTERN},
};

/// Sets `attributes` on the span that the caller is in; costs one look-up, and nothing where it isn't recorded.
pub(crate) fn on_span(attributes: &[(&'static str, Value<'_>)]) {
    edit_current_span(|record| {
        for (key, value) in attributes {
            record.attribute_static(key, *value);
        }
    });
}

/// The same for what is said in the words of a call, where there is none.
pub(crate) fn of_no_call(facts: &CallFacts) {
    edit_current_span(|record| record.facts(facts));
}

/// How many there are, for a fact.
pub(crate) fn number(count: usize) -> CallValue {
    u64::try_from(count).unwrap_or(u64::MAX).into()
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
