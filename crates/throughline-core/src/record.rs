//! What a span layer keeps of one span.

use std::any::Any;

use crate::{CallFacts, SpanContext, Value};

/// How the operation behind a span ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Status<'a> {
    /// Nothing to report: what a success looks like.
    #[default]
    Unset,
    /// Success, declared by the application itself; instrumentation never sets it.
    Ok,
    /// Failure, with a description that adds to what `error.type` says, or an empty one.
    Error(&'a str),
}

/// The record that a span layer keeps while a sampled span lives.
///
/// A layer attaches its record to the span's [`SpanData`](crate::SpanData) when the span is created and takes it back
/// when the span closes; in between, [`SpanExt`](crate::SpanExt) writes to it. Methods take borrowed values and are
/// expected to write them out at once. They run on the request's thread while the span's data is locked: they must not
/// block and must not create spans or events.
pub trait SpanRecord: Any + Send + Sync {
    /// Replaces the span's name.
    fn name(&mut self, name: &str);
    /// Sets an attribute; a later value for the same key replaces the earlier one.
    fn attribute(&mut self, key: &str, value: Value<'_>);
    /// [`attribute`](Self::attribute) with a key that lives as long as the program, as those of instrumentation do: a
    /// record may find what it knows of such a key by its address.
    fn attribute_static(&mut self, key: &'static str, value: Value<'_>) {
        self.attribute(key, value);
    }
    /// Sets each of `facts` as an attribute: [`attribute_static`](Self::attribute_static), with the chance to remember how
    /// those are written that are the same for many calls.
    fn facts(&mut self, facts: &CallFacts) {
        facts.iter().for_each(|(key, value)| self.attribute_static(key, value));
    }
    /// Adds a link to another span, which may be closed already or live in another process.
    fn link(&mut self, context: &SpanContext, attributes: &[(&str, Value<'_>)]);
    /// Sets the status; the last one wins.
    fn status(&mut self, status: Status<'_>);
    /// Adds an event that happened now.
    fn event(&mut self, name: &str, attributes: &[(&str, Value<'_>)]);
}
