//! What a trace that starts here knows of the caller.

use crate::{CallerSampled, SpanContext};
#[cfg(feature = "b3")]
use crate::{TraceFlags, random};

/// A caller whose trace isn't continued, though its word on sampling may count.
#[derive(Clone, Debug)]
pub(crate) struct Origin {
    caller: SpanContext,
    ids: Ids,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ids {
    Sent,
    /// Made up, so that samplers can be shown a parent.
    #[cfg(feature = "b3")]
    MadeUp,
}

impl Origin {
    /// The caller that an edge cut off: the first span links to it.
    pub(crate) const fn restart(caller: SpanContext) -> Self {
        Self { caller, ids: Ids::Sent }
    }

    /// A caller that said no more than whether to sample, as B3 allows (`b3: 0`).
    #[cfg(feature = "b3")]
    pub(crate) fn decision(sampled: bool, debug: bool) -> Self {
        let flags = TraceFlags::NONE.with_sampled(sampled);
        let caller = SpanContext::new(random::new_trace_id(), random::new_span_id(), flags);
        Self { caller: caller.remote(true).debug(debug), ids: Ids::MadeUp }
    }

    pub(crate) fn sampled_counts(self, sampled: CallerSampled) -> Self {
        Self { caller: self.caller.sampled_counts(sampled), ..self }
    }

    /// What samplers are shown as the parent.
    pub(crate) const fn caller(&self) -> &SpanContext {
        &self.caller
    }

    /// The span to link to.
    pub(crate) fn link(&self) -> Option<&SpanContext> {
        (self.ids == Ids::Sent).then_some(&self.caller)
    }

    /// The decision to pass on, where nobody has made a span and there are no ids to go with it.
    #[cfg(feature = "b3")]
    pub(crate) fn bare_decision(&self) -> Option<&SpanContext> {
        (self.ids == Ids::MadeUp).then_some(&self.caller)
    }
}
