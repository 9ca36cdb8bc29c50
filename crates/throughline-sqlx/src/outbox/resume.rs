//! Going on where an event was stored: the `relay` span of one attempt.

use std::time::Duration;

use throughline_core::{
    Carry, Context, SpanContext, SpanExt, SpanRecord, Status,
    semconv::{error::ERROR_TYPE, messaging as names, own},
    with_remote,
};
use tracing::Span;

use super::{SYSTEM, StoredEvent, attempt::Failure};

/// The span of one attempt, and what is current inside it.
///
/// One that is dropped without an end was cancelled.
#[derive(Debug)]
pub(crate) struct Resumed {
    span: Span,
    context: Context,
    ended: bool,
}

impl Resumed {
    /// Opens the span: a child of the `create` span where that is young enough, or else the first of a trace that links to it.
    ///
    /// What is current where the relay runs has no part in it: a relay serves many requests, and belongs to none.
    pub(crate) fn open(event: &StoredEvent, trace_age_max: Duration) -> Self {
        let (place, link) = place(event, trace_age_max);
        let (span, context) = with_remote(&place, || {
            let span = tracing::info_span!(
                target: "throughline::outbox",
                "relay",
                otel.name = format!("{RELAY} {}", event.topic()),
                otel.kind = "consumer",
                { names::MESSAGING_OPERATION_NAME } = RELAY,
                { names::MESSAGING_DESTINATION_NAME } = event.topic(),
            );
            let context = span.context();
            (span, context)
        });
        let id = event.id().to_string();
        span.edit(|record| {
            describe(record, event, &id);
            if let Some(link) = &link {
                record.link(link, &[]);
            }
        });
        Self { span, context, ended: false }
    }

    /// Takes `work` into the attempt: whenever it is polled, the span and the event's context are current.
    pub(crate) fn carry<F: Future>(&self, work: F) -> throughline_core::Carried<F> {
        self.in_scope(|| work.carry())
    }

    pub(crate) const fn context(&self) -> &Context {
        &self.context
    }

    /// Runs `work` in the attempt.
    pub(crate) fn in_scope<T>(&self, work: impl FnOnce() -> T) -> T {
        let _span = self.span.enter();
        // Where the span is filtered out, or no layer of ours is there, nobody else makes the event's context current.
        let _context = (!self.span.has_context()).then(|| self.context.enter());
        work()
    }

    /// Says how it ended.
    pub(crate) fn end(&mut self, outcome: Result<(), &Failure>) {
        self.ended = true;
        self.span.edit(|record| match outcome {
            Ok(()) => record.attribute(own::MESSAGING_END, "complete".into()),
            Err(failure) => {
                record.attribute(own::MESSAGING_END, failure.end().into());
                record.attribute(ERROR_TYPE, failure.kind().into());
                record.status(Status::Error(failure.message()));
            }
        });
    }
}

impl Drop for Resumed {
    fn drop(&mut self) {
        if !self.ended {
            self.span.edit(|record| {
                record.attribute(own::MESSAGING_END, "cancelled".into());
                record.attribute(ERROR_TYPE, "cancelled".into());
                record.status(Status::Error(""));
            });
        }
    }
}

/// Where the span goes: its parent, correlation id and baggage, and what it links to.
fn place(event: &StoredEvent, trace_age_max: Duration) -> (Context, Option<SpanContext>) {
    let stored = event.context();
    if event.age() <= trace_age_max && !trace_age_max.is_zero() {
        return (stored.clone(), None);
    }
    let mut context = Context::default().with_baggage(stored.baggage().clone());
    if let Some(id) = stored.correlation_id() {
        context = context.with_correlation_id(id.clone());
    }
    (context, stored.span().cloned())
}

fn describe(record: &mut dyn SpanRecord, event: &StoredEvent, id: &str) {
    record.attribute(names::MESSAGING_SYSTEM, SYSTEM.into());
    record.attribute(names::MESSAGING_OPERATION_TYPE, PROCESS.into());
    record.attribute(names::MESSAGING_MESSAGE_ID, id.into());
    record.attribute(own::MESSAGING_QUEUE_TIME_MS, (event.queue_time().as_secs_f64() * 1_000.0).into());
    record.attribute(own::OUTBOX_ATTEMPT, i64::from(event.attempt()).into());
    if event.replays() > 0 {
        record.attribute(own::OUTBOX_REPLAY, i64::from(event.replays()).into());
    }
    if let Some(correlation_id) = event.context().correlation_id() {
        record.attribute(names::MESSAGING_MESSAGE_CONVERSATION_ID, correlation_id.as_str().into());
    }
}

const RELAY: &str = "relay";
const PROCESS: &str = "process";
