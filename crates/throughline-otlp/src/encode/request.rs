//! The request around encoded spans.

use std::{iter, sync::Arc};

use bytes::Bytes;
use throughline_core::{Value, semconv::SCHEMA_URL};

use super::{
    attributes::any_value,
    wire::{Wire, varint_len},
};

/// Everything of an export request but the spans or log records, encoded once.
///
/// For a [`SpanSink`](crate::SpanSink) of your own: what it is given goes inside.
#[derive(Clone, Debug)]
pub struct Envelope {
    resource: Vec<u8>,
    scope: Vec<u8>,
}

impl Envelope {
    /// The envelope of this resource, with throughline as the scope.
    #[must_use]
    pub fn new<'a>(resource: impl IntoIterator<Item = (&'a str, Value<'a>)>) -> Self {
        let mut attributes = Vec::new();
        for (key, value) in resource {
            attributes.message(1, |out| {
                out.bytes(1, key.as_bytes());
                out.message(2, |out| any_value(out, value, None));
            });
        }
        let mut encoded = Vec::new();
        encoded.bytes(1, &attributes);
        let mut scope = Vec::new();
        scope.message(1, |out| {
            out.bytes(1, b"throughline");
            out.bytes(2, env!("CARGO_PKG_VERSION").as_bytes());
        });
        Self { resource: encoded, scope }
    }

    /// An `ExportTraceServiceRequest` around spans that are encoded as fields of `ScopeSpans` already; or one for logs
    /// around log records, since both have the same field numbers.
    #[must_use]
    pub fn around(&self, spans: &[u8]) -> Vec<u8> {
        let (head, tail) = self.halves(spans.len());
        [&head, spans, &tail].concat()
    }

    /// The same around several pieces, none of which is copied.
    pub(crate) fn pieces(&self, spans: Vec<Bytes>) -> Arc<[Bytes]> {
        let (head, tail) = self.halves(spans.iter().map(Bytes::len).sum());
        iter::once(head.into()).chain(spans).chain(iter::once(tail.into())).collect()
    }

    /// What stands before and behind spans of this length.
    fn halves(&self, spans_len: usize) -> (Vec<u8>, Vec<u8>) {
        let mut schema = Vec::new();
        schema.bytes(3, SCHEMA_URL.as_bytes());
        let scope_len = self.scope.len() + spans_len + schema.len();
        let resource_len = self.resource.len() + 1 + varint_len(scope_len) + scope_len + schema.len();
        let mut head = Vec::with_capacity(self.resource.len() + self.scope.len() + 24);
        head.tag(1, 2);
        head.varint(resource_len as u64);
        head.extend_from_slice(&self.resource);
        head.tag(2, 2);
        head.varint(scope_len as u64);
        head.extend_from_slice(&self.scope);
        (head, [schema.as_slice(), &schema].concat())
    }
}
