//! How much a span, and a log record, may hold.

use throughline_core::env::{self, EnvWarning};

use super::Variables;
use crate::limits::{LogLimits, SpanLimits};

impl Variables<'_> {
    /// The variable of spans first, then the one of everything, then the default.
    pub(crate) fn span_limits(&mut self) -> SpanLimits {
        let default = SpanLimits::default();
        let attributes = self.count(env::OTEL_ATTRIBUTE_COUNT_LIMIT, default.attributes);
        let chars = self.chars(env::OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT, default.value_chars);
        default
            .attributes(self.count(env::OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT, attributes))
            .events(self.count(env::OTEL_SPAN_EVENT_COUNT_LIMIT, default.events))
            .links(self.count(env::OTEL_SPAN_LINK_COUNT_LIMIT, default.links))
            .event_attributes(self.count(env::OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT, attributes))
            .link_attributes(self.count(env::OTEL_LINK_ATTRIBUTE_COUNT_LIMIT, attributes))
            .value_chars(self.chars(env::OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT, chars))
    }

    /// As [`span_limits`](Self::span_limits).
    pub(crate) fn log_limits(&mut self) -> LogLimits {
        let default = LogLimits::default();
        let attributes = self.count(env::OTEL_ATTRIBUTE_COUNT_LIMIT, default.attributes);
        let chars = self.chars(env::OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT, default.value_chars);
        default
            .attributes(self.count(env::OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT, attributes))
            .value_chars(self.chars(env::OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT, chars))
    }

    fn chars(&mut self, name: &str, general: Option<usize>) -> Option<usize> {
        let Some(value) = self.environment.get(name) else { return general };
        value.parse().map(Some).unwrap_or_else(|_| {
            let used = general.map_or_else(|| "no limit".to_owned(), |chars| chars.to_string());
            EnvWarning::new(name, value, "not a number", used).note(self.warnings);
            general
        })
    }
}

#[cfg(test)]
mod tests {
    use throughline_core::env::Environment;

    use super::*;

    fn limits(pairs: &[(&str, &str)]) -> (SpanLimits, usize) {
        let environment = Environment::from_pairs(pairs.iter().copied());
        let mut warnings = Vec::new();
        let limits = Variables { environment: &environment, warnings: &mut warnings }.span_limits();
        (limits, warnings.len())
    }

    #[test]
    fn the_specific_variable_beats_the_general_one_and_a_bad_one_leaves_it_in_force() {
        let general = (env::OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT, "10");
        let own = env::OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT;
        for (pairs, chars, warned) in [
            (vec![], None, 0),
            (vec![general], Some(10), 0),
            (vec![general, (own, "5")], Some(5), 0),
            (vec![(own, "5")], Some(5), 0),
            (vec![general, (own, "long")], Some(10), 1),
        ] {
            let (limits, warnings) = limits(&pairs);
            assert_eq!((limits.value_chars, warnings), (chars, warned), "{pairs:?}");
        }
    }

    #[test]
    fn the_general_count_holds_for_events_and_links_too() {
        let (limits, _) =
            limits(&[(env::OTEL_ATTRIBUTE_COUNT_LIMIT, "7"), (env::OTEL_LINK_ATTRIBUTE_COUNT_LIMIT, "2")]);
        assert_eq!((limits.attributes, limits.event_attributes, limits.link_attributes), (7, 7, 2));
    }
}
