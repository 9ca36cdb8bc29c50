//! What the core knows of one `tracing` span.

use std::{any::Any, fmt};

use crate::{
    Companion, Context, Sampler, SpanContext, SpanId, SpanRecord, TraceFlags, origin::Origin, random,
};

/// The identity of a span, fixed when it is created, and the records that span layers keep of it.
///
/// [`ContextLayer`](crate::ContextLayer) puts one into the extensions of every span it sees. Everything else reads it
/// from there: nobody else makes ids.
pub struct SpanData {
    context: Context,
    parent: Option<Parent>,
    /// The caller whose trace ended at the edge where this one began.
    link: Option<Box<SpanContext>>,
    record: Option<Box<dyn SpanRecord>>,
    more_records: Vec<Box<dyn SpanRecord>>,
    companion: Option<Companion>,
}

#[derive(Clone, Copy, Debug)]
struct Parent {
    id: SpanId,
    remote: bool,
}

impl SpanData {
    /// The data of a new span called `name` below `parent`, with its ids and its sampling decision.
    ///
    /// A span without a parent starts a trace: its trace id is random, and flagged so. What an edge has cut off, the
    /// first span of the new trace links to.
    pub(crate) fn born(parent: &Context, name: &str, sampler: &dyn Sampler) -> Self {
        let above = parent.span();
        let trace_id = above.map_or_else(random::new_trace_id, SpanContext::trace_id);
        let random = above.is_none_or(|span| span.flags().is_random());
        let origin = parent.origin();
        let caller = above.or(origin.map(Origin::caller));
        let judged = caller.and_then(SpanContext::for_sampler);
        let sampled = sampler.sample(judged.as_deref(), trace_id, name);
        let flags = TraceFlags::NONE.with_sampled(sampled).with_random(random);
        let mut span = SpanContext::new(trace_id, random::new_span_id(), flags)
            .debug(caller.is_some_and(SpanContext::hands_debug_on));
        if let Some(above) = above {
            span = span.with_tracestate(above.tracestate().clone());
        }
        Self {
            context: parent.clone().with_span(span),
            parent: above.map(|span| Parent { id: span.span_id(), remote: span.is_remote() }),
            link: origin.and_then(Origin::link).cloned().map(Box::new),
            record: None,
            more_records: Vec::new(),
            companion: None,
        }
    }

    /// The context inside the span: its own ids, the correlation id and the baggage.
    #[must_use]
    pub const fn context(&self) -> &Context {
        &self.context
    }

    /// The span above, in this process or in another one.
    #[must_use]
    pub fn parent_span_id(&self) -> Option<SpanId> {
        self.parent.map(|parent| parent.id)
    }

    /// Whether the span above lives in another process.
    #[must_use]
    pub fn parent_is_remote(&self) -> bool {
        self.parent.is_some_and(|parent| parent.remote)
    }

    /// Whether the span is recorded and exported.
    #[must_use]
    pub fn is_sampled(&self) -> bool {
        self.context.span().is_some_and(SpanContext::is_sampled)
    }

    /// Lets `record` hear of everything that is set on this span from now on.
    pub fn attach(&mut self, mut record: Box<dyn SpanRecord>) {
        if let Some(link) = &self.link {
            record.link(link, &[]);
        }
        if self.record.is_none() {
            self.record = Some(record);
        } else {
            self.more_records.push(record);
        }
    }

    /// Gives the [`ContextBridge`](crate::ContextBridge) `companion` whenever the span is entered from now on.
    pub fn accompany(&mut self, companion: Companion) {
        self.companion = Some(companion);
    }

    pub(crate) const fn companion(&self) -> Option<&Companion> {
        self.companion.as_ref()
    }

    /// The attached record of type `T`.
    pub fn record_mut<T: SpanRecord>(&mut self) -> Option<&mut T> {
        self.records_mut().find_map(|record| (record as &mut dyn Any).downcast_mut())
    }

    /// Detaches and returns the record of type `T`.
    pub fn take<T: SpanRecord>(&mut self) -> Option<Box<T>> {
        let is_wanted = |record: &dyn SpanRecord| (record as &dyn Any).is::<T>();
        let found = if self.record.as_deref().is_some_and(is_wanted) {
            self.record.take()
        } else {
            let place = self.more_records.iter().position(|record| is_wanted(&**record))?;
            Some(self.more_records.remove(place))
        };
        (found? as Box<dyn Any>).downcast().ok()
    }

    pub(crate) fn records_mut(&mut self) -> impl Iterator<Item = &mut dyn SpanRecord> {
        self.record.iter_mut().chain(&mut self.more_records).map(|record| &mut **record)
    }
}

impl fmt::Debug for SpanData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SpanData")
            .field("context", &self.context)
            .field("parent", &self.parent)
            .finish_non_exhaustive()
    }
}
