//! From `tracing`'s visitor to a sink of fields.

use std::{error::Error, fmt};

use throughline_core::redact::{Redactor, Verdict};
use tracing::field::{Field, Visit};

use crate::{redacted, value::Raw};

/// What takes the fields of an event or of a span.
pub(crate) trait FieldSink {
    fn field(&mut self, name: &'static str, value: Raw<'_>);

    /// Whether it does anything with a field of this name.
    #[inline]
    fn wants(&self, _: &'static str) -> bool {
        true
    }
}

/// Hands every field that may be shown to a sink, without its secrets: nothing is serialised before it was judged.
///
/// Fields named `otel.*` are instructions to span layers, not data: they never reach a line.
pub(crate) struct Fields<'a, S> {
    pub(crate) sink: &'a mut S,
    pub(crate) redactor: &'a Redactor,
}

impl<S: FieldSink> Fields<'_, S> {
    #[inline]
    fn put(&mut self, field: &Field, value: Raw<'_>) {
        let name = field.name();
        match name.as_bytes() {
            [b'o', b't', b'e', b'l', b'.', ..] => {}
            // `r#type = …` is how Rust spells a field called `type`.
            [b'r', b'#', ..] => self.judged(name.strip_prefix("r#").unwrap_or(name), value),
            _ => self.judged(name, value),
        }
    }

    /// Hands over a value under this name, without its secrets.
    #[inline]
    pub(crate) fn judged(&mut self, name: &'static str, value: Raw<'_>) {
        if !self.sink.wants(name) {
            return;
        }
        match self.redactor.judge_static(name) {
            Verdict::Keep => self.sink.field(name, value),
            verdict => redacted::field(self.sink, self.redactor, verdict, name, value),
        }
    }
}

impl<S: FieldSink> Visit for Fields<'_, S> {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, Raw::F64(value));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, Raw::I64(value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, Raw::U64(value));
    }

    fn record_i128(&mut self, field: &Field, value: i128) {
        self.put(field, Raw::I128(value));
    }

    fn record_u128(&mut self, field: &Field, value: u128) {
        self.put(field, Raw::U128(value));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, Raw::Bool(value));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, Raw::Str(value));
    }

    fn record_bytes(&mut self, field: &Field, value: &[u8]) {
        self.put(field, Raw::Bytes(value));
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        self.put(field, Raw::Error(value));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field, Raw::Debug(value));
    }
}
