//! What a piece of work carries with it.

use std::{sync::Arc, time::Instant};

use crate::{Baggage, CorrelationId, SpanContext, origin::Origin};

/// The span, the correlation id and the baggage of one piece of work.
///
/// Cheap to clone: two reference counts at most. What is current on a thread is [`Context::current`].
#[derive(Clone, Debug, Default)]
pub struct Context {
    span: Option<SpanContext>,
    /// The same for all spans of a request, hence behind one pointer; `None` when there is neither.
    shared: Option<Arc<Shared>>,
}

#[derive(Clone, Debug, Default)]
struct Shared {
    correlation_id: Option<CorrelationId>,
    baggage: Baggage,
    deadline: Option<Instant>,
    /// Rare, and large, hence behind a pointer of its own. Without meaning once there is a span.
    origin: Option<Box<Origin>>,
}

static NO_BAGGAGE: Baggage = Baggage::EMPTY;

impl Context {
    /// The context of work that nobody asked for: no span, no baggage, a correlation id of its own.
    ///
    /// For background jobs, whose first span is meant to start a trace; see [`Carry::carry_in`](crate::Carry::carry_in).
    #[must_use]
    pub fn root() -> Self {
        Self::default().with_correlation_id(CorrelationId::generate())
    }

    /// The span that work is done in: the parent of what is created next.
    #[must_use]
    pub const fn span(&self) -> Option<&SpanContext> {
        self.span.as_ref()
    }

    /// The id that survives where a trace does not.
    #[must_use]
    pub fn correlation_id(&self) -> Option<&CorrelationId> {
        self.shared.as_ref().and_then(|shared| shared.correlation_id.as_ref())
    }

    /// The application's own values that travel along.
    #[must_use]
    pub fn baggage(&self) -> &Baggage {
        self.shared.as_ref().map_or(&NO_BAGGAGE, |shared| &shared.baggage)
    }

    /// When whoever waits for this work stops waiting, if that is known. It does not travel by itself: the layers of
    /// `throughline-resilience` tell the next hop how much time is left.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.shared.as_ref().and_then(|shared| shared.deadline)
    }

    /// The same context with this deadline, or with its own where that is earlier.
    #[must_use]
    pub fn with_deadline(mut self, deadline: Instant) -> Self {
        if self.deadline().is_none_or(|own| deadline < own) {
            self.shared_mut().deadline = Some(deadline);
        }
        self
    }

    /// The caller's span, where an edge restarted the trace and no span has been made since.
    ///
    /// A span that is made in this context starts a trace, and links to that span by itself.
    #[must_use]
    pub fn restarted_from(&self) -> Option<&SpanContext> {
        self.origin().and_then(Origin::link)
    }

    /// What a new trace that starts here knows of its caller.
    pub(crate) fn origin(&self) -> Option<&Origin> {
        match self.span {
            Some(_) => None,
            None => self.shared.as_ref()?.origin.as_deref(),
        }
    }

    /// The same context in this span.
    #[must_use]
    pub fn with_span(self, span: SpanContext) -> Self {
        Self { span: Some(span), ..self }
    }

    /// The same context with this correlation id.
    #[must_use]
    pub fn with_correlation_id(mut self, id: CorrelationId) -> Self {
        self.shared_mut().correlation_id = Some(id);
        self
    }

    /// The same context with this baggage in place of its own.
    #[must_use]
    pub fn with_baggage(mut self, baggage: Baggage) -> Self {
        if self.shared.is_some() || !baggage.is_empty() {
            self.shared_mut().baggage = baggage;
        }
        self
    }

    pub(crate) fn with_origin(mut self, origin: Origin) -> Self {
        self.shared_mut().origin = Some(Box::new(origin));
        self
    }

    fn shared_mut(&mut self) -> &mut Shared {
        Arc::make_mut(self.shared.get_or_insert_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{TraceFlags, random};

    fn full() -> Context {
        let span = SpanContext::new(random::new_trace_id(), random::new_span_id(), TraceFlags::SAMPLED);
        Context::default()
            .with_span(span)
            .with_correlation_id(CorrelationId::generate())
            .with_baggage(Baggage::default().insert("tenant", "blue").unwrap())
    }

    #[test]
    fn a_default_context_is_empty_and_owns_nothing() {
        let context = Context::default().with_baggage(Baggage::default());
        assert!(
            context.span().is_none() && context.correlation_id().is_none() && context.baggage().is_empty()
        );
        assert!(context.shared.is_none());
    }

    #[test]
    fn a_change_leaves_clones_alone() {
        let first = full();
        let second = first.clone().with_baggage(Baggage::default());
        assert_eq!(first.baggage().get("tenant"), Some("blue"));
        assert!(second.baggage().is_empty());
        assert_eq!(second.correlation_id(), first.correlation_id());
        assert_eq!(second.span(), first.span());
    }

    #[test]
    fn spans_of_a_request_share_what_they_carry() {
        let first = full();
        let second = first.clone().with_span(full().span().unwrap().clone());
        assert!(Arc::ptr_eq(first.shared.as_ref().unwrap(), second.shared.as_ref().unwrap()));
    }
}
