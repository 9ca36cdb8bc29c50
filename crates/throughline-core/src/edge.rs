//! Whom to believe at the edge of a system.

use std::sync::Arc;

use crate::{BAGGAGE_BYTES_MAX, BAGGAGE_MEMBERS_MAX, SpanContext};

/// What to do with the ids, the sampled flag, the baggage and the correlation id that a caller sends.
///
/// One object for HTTP and for brokers; the layers take it as it is, or a closure that chooses one by the request or the
/// message. The default trusts, which is right between services of one system. At a public edge strangers would then
/// choose trace ids, decide what is recorded and fill baggage: use [`edge`](Self::edge) there.
///
/// | | trace | sampled flag | baggage | correlation id |
/// |---|---|---|---|---|
/// | [`trust`](Self::trust) | the caller's goes on | honoured | kept | kept |
/// | [`restart`](Self::restart) | a new one, whose first span links to the caller's | decided anew | kept | kept |
/// | [`edge`](Self::edge) | a new one, whose first span links to the caller's | decided anew | dropped | kept |
/// | [`ignore`](Self::ignore) | a new one | decided anew | dropped | a new one |
///
/// Each column but the first can be set on its own. What is dropped is counted in
/// [`PropagationCounters`](crate::PropagationCounters).
///
/// ```
/// use throughline_core::{CallerSampled, EdgePolicy};
///
/// let partner = EdgePolicy::restart().baggage_keys(["tenant"]).baggage_bytes_max(256);
/// let internal = EdgePolicy::trust().sampled(CallerSampled::DecideAnew);
/// ```
///
/// Where a restarted trace gets no span, because the span is filtered out, nothing goes on but correlation id and baggage:
/// the next hop starts the trace. The link is made by the first span that is created in the context after all.
#[derive(Clone, Debug, Default)]
#[must_use = "a policy does nothing until it is given to a layer"]
pub struct EdgePolicy {
    stance: Stance,
    sampled: CallerSampled,
    correlation: CallerCorrelation,
    baggage: BaggageRule,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Stance {
    #[default]
    Trust,
    Restart,
    Ignore,
}

/// What the caller's *sampled* flag counts for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CallerSampled {
    /// The sampler is shown it. A parent-based one follows it.
    #[default]
    Honour,
    /// The sampler decides as for a new trace, whether or not the trace id is the caller's.
    DecideAnew,
    /// The sampler is shown an unsampled parent. A parent-based one then records nothing.
    Off,
}

/// What becomes of a valid correlation id that a caller sends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CallerCorrelation {
    /// It goes on: to survive where the trace does not is its purpose.
    #[default]
    Keep,
    /// A new one takes its place.
    Replace,
}

impl EdgePolicy {
    /// Continues the caller's trace, and keeps its baggage and its correlation id.
    pub const fn trust() -> Self {
        Self::with(Stance::Trust, CallerSampled::Honour, BaggageRule::All)
    }

    /// Starts a new trace that links to the caller's; baggage and correlation id are kept.
    pub const fn restart() -> Self {
        Self::with(Stance::Restart, CallerSampled::DecideAnew, BaggageRule::All)
    }

    /// For a public entrance: starts a new trace that links to the caller's, and drops its baggage.
    ///
    /// The correlation id is kept, so that a customer can name their request. [`baggage_keys`](Self::baggage_keys) lets
    /// some of the baggage in.
    pub const fn edge() -> Self {
        Self::with(Stance::Restart, CallerSampled::DecideAnew, BaggageRule::Nothing)
    }

    /// Reads nothing: a new trace, no baggage, a new correlation id.
    pub const fn ignore() -> Self {
        Self::with(Stance::Ignore, CallerSampled::DecideAnew, BaggageRule::Nothing)
    }

    const fn with(stance: Stance, sampled: CallerSampled, baggage: BaggageRule) -> Self {
        Self { stance, sampled, correlation: CallerCorrelation::Keep, baggage }
    }

    /// What the caller's *sampled* flag, and the debug flag of other formats, count for.
    ///
    /// A context that passes through without a span keeps its flags all the same: W3C Trace Context changes them only
    /// together with the span id.
    pub const fn sampled(mut self, sampled: CallerSampled) -> Self {
        self.sampled = sampled;
        self
    }

    /// What becomes of the caller's correlation id.
    pub const fn correlation(mut self, correlation: CallerCorrelation) -> Self {
        self.correlation = correlation;
        self
    }

    /// Lets in only the members of baggage that have one of these keys, spelt exactly so.
    pub fn baggage_keys<K: Into<Box<str>>>(self, keys: impl IntoIterator<Item = K>) -> Self {
        self.change_baggage(|filter| filter.keys = Some(keys.into_iter().map(Into::into).collect()))
    }

    /// Lets in that many members of baggage; [`BAGGAGE_MEMBERS_MAX`] is the limit everywhere.
    pub fn baggage_members_max(self, members: usize) -> Self {
        self.change_baggage(|filter| filter.members_max = members.min(BAGGAGE_MEMBERS_MAX))
    }

    /// Lets in that many bytes of baggage, in whole members; [`BAGGAGE_BYTES_MAX`] is the limit everywhere.
    pub fn baggage_bytes_max(self, bytes: usize) -> Self {
        self.change_baggage(|filter| filter.bytes_max = bytes.min(BAGGAGE_BYTES_MAX))
    }

    /// Lets in no baggage.
    pub fn without_baggage(mut self) -> Self {
        self.baggage = BaggageRule::Nothing;
        self
    }

    fn change_baggage(mut self, change: impl FnOnce(&mut BaggageFilter)) -> Self {
        let mut filter = self.baggage.filter().cloned().unwrap_or_default();
        change(&mut filter);
        self.baggage = BaggageRule::Filtered(Arc::new(filter));
        self
    }

    pub(crate) const fn stance(&self) -> Stance {
        self.stance
    }

    pub(crate) fn baggage(&self) -> Option<&BaggageFilter> {
        self.baggage.filter()
    }

    pub(crate) const fn correlation_of_callers(&self) -> CallerCorrelation {
        self.correlation
    }

    /// Whether the flag of `caller` is not followed though it says something.
    pub(crate) fn overrules(&self, caller: &SpanContext) -> bool {
        self.sampled != CallerSampled::Honour && !caller.is_deferred()
    }

    /// What the flag of `caller` counts for: what was left open by the caller stays open.
    pub(crate) const fn sampled_of(&self, caller: &SpanContext) -> CallerSampled {
        match self.sampled {
            CallerSampled::Honour if caller.is_deferred() => CallerSampled::DecideAnew,
            sampled => sampled,
        }
    }
}

/// Which baggage gets in.
#[derive(Clone, Debug, Default)]
enum BaggageRule {
    #[default]
    All,
    Nothing,
    Filtered(Arc<BaggageFilter>),
}

impl BaggageRule {
    fn filter(&self) -> Option<&BaggageFilter> {
        static NOTHING: BaggageFilter = BaggageFilter {
            keys: Some(Vec::new()),
            members_max: BAGGAGE_MEMBERS_MAX,
            bytes_max: BAGGAGE_BYTES_MAX,
        };
        match self {
            Self::All => None,
            Self::Nothing => Some(&NOTHING),
            Self::Filtered(filter) => Some(filter),
        }
    }
}

/// An allow-list of keys, and limits below those of the standard.
#[derive(Clone, Debug)]
pub(crate) struct BaggageFilter {
    keys: Option<Vec<Box<str>>>,
    pub(crate) members_max: usize,
    pub(crate) bytes_max: usize,
}

impl BaggageFilter {
    pub(crate) fn allows(&self, key: &str) -> bool {
        self.keys.as_ref().is_none_or(|keys| keys.iter().any(|allowed| **allowed == *key))
    }
}

impl Default for BaggageFilter {
    fn default() -> Self {
        Self { keys: None, members_max: BAGGAGE_MEMBERS_MAX, bytes_max: BAGGAGE_BYTES_MAX }
    }
}
