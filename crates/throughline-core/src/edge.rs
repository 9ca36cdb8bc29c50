//! Whom to believe at the edge of a system.

/// What to do with the ids and the baggage that a caller sends.
///
/// One object for HTTP and for brokers. The default trusts, which is right between services of one system; at a public
/// edge, where strangers would otherwise choose trace ids and fill baggage, use [`EdgePolicy::ignore`].
#[derive(Clone, Debug, Default)]
pub struct EdgePolicy {
    stance: Stance,
}

/// A third stance, a new trace that links to the caller's, fits here: it will read like `Trust` and put the span
/// elsewhere in the context.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Stance {
    #[default]
    Trust,
    Ignore,
}

impl EdgePolicy {
    /// Continues the caller's trace, and keeps its baggage and its correlation id.
    #[must_use]
    pub const fn trust() -> Self {
        Self { stance: Stance::Trust }
    }

    /// Reads nothing: a new trace, no baggage, a new correlation id.
    #[must_use]
    pub const fn ignore() -> Self {
        Self { stance: Stance::Ignore }
    }

    pub(crate) const fn stance(&self) -> Stance {
        self.stance
    }
}
