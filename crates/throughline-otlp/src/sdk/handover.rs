//! What the core has fixed, handed to the SDK on the thread where it asks.
//!
//! The SDK asks an id generator and a sampler when a span is built, and tells a processor when it ends, all without a
//! word about which span of ours it means. So our layer lays out here what is about to be asked, and takes it back.

use std::cell::RefCell;

use opentelemetry::trace;
use opentelemetry_sdk::trace::{IdGenerator, RandomIdGenerator};
use throughline_core::{Context, SpanContext, SpanId};

use super::convert;
use crate::encode::span::Kind;

thread_local! {
    static BIRTH: RefCell<Option<trace::SpanContext>> = const { RefCell::new(None) };
    static ENDING: RefCell<Option<Ending>> = const { RefCell::new(None) };
}

/// A span of ours that is ending: what it is by the core, and what the SDK cannot know.
#[derive(Debug)]
pub(super) struct Ending {
    pub(super) context: Context,
    pub(super) parent: Option<SpanId>,
    pub(super) parent_is_remote: bool,
    pub(super) kind: Option<Kind>,
    pub(super) start: u64,
    pub(super) end: u64,
}

/// Runs `build`, in which the SDK gives a span these ids.
pub(super) fn being_born<T>(ids: trace::SpanContext, build: impl FnOnce() -> T) -> T {
    let outer = BIRTH.with(|birth| birth.replace(Some(ids)));
    let built = build();
    BIRTH.with(|birth| birth.replace(outer));
    built
}

/// Whether the span that is being built is one of ours.
pub(super) fn is_being_born() -> bool {
    BIRTH.with(|birth| birth.borrow().is_some())
}

/// Runs `end`, in which the SDK tells its processors of this span. Returns whether ours has heard of it.
pub(super) fn ending(ending: Ending, end: impl FnOnce()) -> bool {
    let outer = ENDING.with(|place| place.replace(Some(ending)));
    end();
    let left = ENDING.with(|place| place.replace(outer));
    left.is_none()
}

/// What was laid out for the span that has ended, if it is one of ours.
pub(super) fn ended(span: &trace::SpanContext) -> Option<Ending> {
    ENDING.with(|place| {
        let mut place = place.borrow_mut();
        let own = place.as_ref().and_then(|ending| ending.context.span());
        if own.is_some_and(|own: &SpanContext| convert::is_same(own, span)) { place.take() } else { None }
    })
}

/// Gives spans of ours the ids that they have already, and all others random ones.
#[derive(Debug, Default)]
pub(super) struct Ids(RandomIdGenerator);

impl IdGenerator for Ids {
    fn new_trace_id(&self) -> trace::TraceId {
        BIRTH
            .with(|birth| birth.borrow().as_ref().map(trace::SpanContext::trace_id))
            .unwrap_or_else(|| self.0.new_trace_id())
    }

    fn new_span_id(&self) -> trace::SpanId {
        BIRTH
            .with(|birth| birth.borrow().as_ref().map(trace::SpanContext::span_id))
            .unwrap_or_else(|| self.0.new_span_id())
    }
}
