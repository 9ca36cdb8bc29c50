//! What is written to a span while it lives.

use throughline_core::{CallFacts, SpanContext, SpanRecord, Status, Value};

use super::{FieldRecord, Kind, OtlpSpan, field};
use crate::encode::facts::EncodedFacts;

impl SpanRecord for OtlpSpan {
    fn name(&mut self, name: &str) {
        self.name.clear();
        self.name.push_str(&self.redactor.text(name));
    }

    fn attribute(&mut self, key: &str, value: Value<'_>) {
        let Self { redactor, attributes, limits, .. } = self;
        redactor.attribute(key, value, |value| {
            attributes.set(field::ATTRIBUTES, key, value, limits.span_caps());
        });
    }

    fn attribute_static(&mut self, key: &'static str, value: Value<'_>) {
        let Self { redactor, attributes, limits, .. } = self;
        redactor.attribute_static(key, value, |value| {
            attributes.set(field::ATTRIBUTES, key, value, limits.span_caps());
        });
    }

    fn facts(&mut self, facts: &CallFacts) {
        let Self { redactor, attributes, limits, .. } = self;
        let caps = limits.span_caps();
        let known = EncodedFacts::of(facts, redactor, caps);
        let keys = || facts.iter().map(|(key, _)| key);
        if !known.is_some_and(|known| attributes.append(known, keys(), caps)) {
            facts.iter().for_each(|(key, value)| self.attribute_static(key, value));
        }
    }

    fn link(&mut self, context: &SpanContext, attributes: &[(&str, Value<'_>)]) {
        let caps = self.limits.link_caps();
        self.link_to(context, |redactor, own| {
            for (key, value) in attributes {
                redactor.attribute(key, *value, |value| own.set(field::LINK_ATTRIBUTES, key, value, caps));
            }
        });
    }

    fn status(&mut self, status: Status<'_>) {
        self.status_message.clear();
        self.status = code(status);
        if let Status::Error(message) = status {
            self.describe(message);
        }
    }

    fn event(&mut self, name: &str, attributes: &[(&str, Value<'_>)]) {
        let now = self.clock.unix_nanos();
        let mut own = std::mem::take(&mut self.scratch);
        own.clear();
        for (key, value) in attributes {
            self.redactor.attribute(key, *value, |value| {
                own.set(field::EVENT_ATTRIBUTES, key, value, self.limits.event_caps());
            });
        }
        let name = self.redactor.text(name);
        self.push_event(&name, now, &own);
        self.scratch = own;
    }
}

impl FieldRecord for OtlpSpan {
    fn kind(&mut self, kind: Kind) {
        self.kind = kind;
    }

    fn status_code(&mut self, status: Status<'_>) {
        self.status = code(status);
    }

    fn status_message(&mut self, message: &str) {
        if self.status == UNSET {
            self.status = ERROR;
        }
        self.describe(message);
    }
}

/// Numbers of OTLP's `StatusCode`.
pub(super) const UNSET: u8 = 0;
const OK: u8 = 1;
pub(super) const ERROR: u8 = 2;

const fn code(status: Status<'_>) -> u8 {
    match status {
        Status::Ok => OK,
        Status::Error(_) => ERROR,
        _ => UNSET,
    }
}
