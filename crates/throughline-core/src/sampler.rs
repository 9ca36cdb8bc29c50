//! Which traces are recorded.

use crate::{SpanContext, TraceId};

/// Decides, when a span is created, whether it is recorded and exported.
///
/// The decision is final: it is in the flags that the next hop sees. Called once a span on the request's path, so it
/// must be cheap and must not block. A closure of the same shape is a sampler.
pub trait Sampler: Send + Sync + 'static {
    /// Whether to sample a span called `name` (the name of its `tracing` metadata) below `parent`.
    fn sample(&self, parent: Option<&SpanContext>, trace_id: TraceId, name: &str) -> bool;
}

impl<F> Sampler for F
where
    F: Fn(Option<&SpanContext>, TraceId, &str) -> bool + Send + Sync + 'static,
{
    fn sample(&self, parent: Option<&SpanContext>, trace_id: TraceId, name: &str) -> bool {
        self(parent, trace_id, name)
    }
}

/// Samples everything.
#[derive(Clone, Copy, Debug, Default)]
pub struct AlwaysOn;

impl Sampler for AlwaysOn {
    fn sample(&self, _: Option<&SpanContext>, _: TraceId, _: &str) -> bool {
        true
    }
}

/// Samples nothing; ids are still made and passed on.
#[derive(Clone, Copy, Debug, Default)]
pub struct AlwaysOff;

impl Sampler for AlwaysOff {
    fn sample(&self, _: Option<&SpanContext>, _: TraceId, _: &str) -> bool {
        false
    }
}

/// Samples a share of all traces, decided by the trace id alone.
///
/// The right-most 56 bits of the id are compared with a threshold, so that every service with the same ratio decides
/// alike and a higher ratio keeps everything that a lower one keeps.
#[derive(Clone, Copy, Debug)]
pub struct TraceIdRatio {
    threshold: u64,
}

/// One more than the largest 56-bit number.
const RANDOMNESS_RANGE: u64 = 1 << 56;

impl TraceIdRatio {
    /// A sampler that keeps `ratio` of the traces; `None` unless `0.0 <= ratio <= 1.0`.
    #[must_use]
    pub fn new(ratio: f64) -> Option<Self> {
        if !(0.0..=1.0).contains(&ratio) {
            return None;
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "the product lies between 0 and 2^56, both exact in f64"
        )]
        let threshold = ((1.0 - ratio) * RANDOMNESS_RANGE as f64).round() as u64;
        Some(Self { threshold })
    }
}

impl Sampler for TraceIdRatio {
    fn sample(&self, _: Option<&SpanContext>, trace_id: TraceId, _: &str) -> bool {
        let id = u128::from_be_bytes(trace_id.to_bytes());
        #[expect(clippy::cast_possible_truncation, reason = "only the right-most 56 bits are wanted")]
        let randomness = id as u64 & (RANDOMNESS_RANGE - 1);
        randomness >= self.threshold
    }
}

/// Follows the parent's decision, local or remote, and asks the given sampler for a new trace.
#[derive(Clone, Copy, Debug, Default)]
pub struct ParentBased<S>(S);

impl<S: Sampler> ParentBased<S> {
    /// Asks `root` where there is no parent.
    pub const fn new(root: S) -> Self {
        Self(root)
    }
}

impl<S: Sampler> Sampler for ParentBased<S> {
    fn sample(&self, parent: Option<&SpanContext>, trace_id: TraceId, name: &str) -> bool {
        parent.map_or_else(|| self.0.sample(None, trace_id, name), SpanContext::is_sampled)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{SpanId, TraceFlags, random};

    fn trace(low: u64) -> TraceId {
        let mut bytes = [0xff; 16];
        bytes[8..].copy_from_slice(&low.to_be_bytes());
        TraceId::from_bytes(bytes).unwrap()
    }

    #[test]
    fn a_ratio_keeps_ids_at_or_above_its_threshold() {
        let quarter = TraceIdRatio::new(0.25).unwrap();
        for (low, kept) in [
            (0x00c0_0000_0000_0000, true),
            (0x00bf_ffff_ffff_ffff, false),
            (0xffc0_0000_0000_0000, true), // the highest byte is not part of the randomness
            (0xff00_0000_0000_0001, false),
        ] {
            assert_eq!(quarter.sample(None, trace(low), ""), kept, "{low:x}");
        }
    }

    #[test]
    fn the_ends_of_the_range_keep_all_and_nothing() {
        assert!(TraceIdRatio::new(1.0).unwrap().sample(None, trace(0), ""));
        assert!(!TraceIdRatio::new(0.0).unwrap().sample(None, trace(u64::MAX), ""));
        for bad in [-0.1, 1.1, f64::NAN] {
            assert!(TraceIdRatio::new(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn a_higher_ratio_keeps_what_a_lower_one_keeps() {
        let (low, high) = (TraceIdRatio::new(0.1).unwrap(), TraceIdRatio::new(0.3).unwrap());
        for _ in 0..1_000 {
            let id = random::new_trace_id();
            assert!(!low.sample(None, id, "") || high.sample(None, id, ""));
        }
    }

    #[test]
    fn the_parent_decides_before_the_root_sampler() {
        let parent = |flags| SpanContext::new(trace(1), SpanId::from_bytes([1; 8]).unwrap(), flags);
        let sampler = ParentBased::new(AlwaysOff);
        assert!(sampler.sample(Some(&parent(TraceFlags::SAMPLED)), trace(1), ""));
        assert!(!ParentBased::new(AlwaysOn).sample(Some(&parent(TraceFlags::NONE)), trace(1), ""));
        assert!(!sampler.sample(None, trace(1), ""));
    }
}
