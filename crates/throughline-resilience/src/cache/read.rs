//! What a read gives: a value, and where it came from.

/// A value, and how fresh it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Read<V> {
    value: V,
    freshness: Freshness,
}

impl<V> Read<V> {
    pub(super) const fn new(value: V, freshness: Freshness) -> Self {
        Self { value, freshness }
    }

    /// The value.
    pub fn into_inner(self) -> V {
        self.value
    }

    /// How fresh it is.
    pub const fn freshness(&self) -> Freshness {
        self.freshness
    }
}

/// Where a value came from.
///
/// The span and the metrics of a read that failed say [`Miss`](Self::Miss) where it loaded itself, so there are as many of
/// these as there were loads, and [`Shared`](Self::Shared) where it waited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    /// From the cache, within its time to live.
    Hit,
    /// Loaded just now.
    Miss,
    /// Loaded just now by another read of the same key, which this one waited for.
    Shared,
    /// From the cache, too old, because it could not be loaded, be it by this read or by the one that it waited for.
    Stale,
}

impl Freshness {
    /// As it stands on the span.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hit => "hit",
            Self::Miss => "miss",
            Self::Shared => "shared",
            Self::Stale => "stale",
        }
    }
}
