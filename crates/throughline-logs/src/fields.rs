//! From `tracing`'s visitor to a sink of fields.

use std::{error::Error, fmt};

use tracing::field::{Field, Visit};

use crate::value::Raw;

/// What takes the fields of an event or of a span.
pub(crate) trait FieldSink {
    fn field(&mut self, name: &'static str, value: Raw<'_>);
}

/// Hands every field that may be shown to a sink.
///
/// Fields named `otel.*` are instructions to span layers, not data: they never reach a line.
pub(crate) struct Fields<'a, S>(pub(crate) &'a mut S);

impl<S: FieldSink> Fields<'_, S> {
    #[inline]
    fn put(&mut self, field: &Field, value: Raw<'_>) {
        let name = field.name();
        match name.as_bytes() {
            [b'o', b't', b'e', b'l', b'.', ..] => {}
            // `r#type = …` is how Rust spells a field called `type`.
            [b'r', b'#', ..] => self.0.field(name.strip_prefix("r#").unwrap_or(name), value),
            _ => self.0.field(name, value),
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
