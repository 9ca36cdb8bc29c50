//! One sampling decision, made at birth: the SDK's samplers for us, ours for the SDK.

use std::fmt;

use opentelemetry::{
    Context as SdkContext, KeyValue,
    trace::{self, Link, SpanKind, TraceContextExt, TraceState},
};
use opentelemetry_sdk::trace::{SamplingDecision, SamplingResult, ShouldSample};
use throughline_core::{Pipeline, Sampler, SpanContext, TraceId};

use super::{convert, handover};

/// A sampler of the OpenTelemetry SDK as one of ours, under either span layer.
///
/// It is asked once, when the span gets its ids. By then it sees the parent, the trace id and the span's name; the kind
/// is `Internal`, and there are no attributes and no links yet. What it wants recorded but not sampled is dropped, and
/// attributes and vendor state that it adds are left out.
///
/// ```
/// use opentelemetry_sdk::trace::Sampler;
/// use throughline_core::Pipeline;
/// use throughline_otlp::sdk::SdkSampler;
///
/// let ratio = Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(0.1)));
/// let pipeline = Pipeline::builder().sampler(SdkSampler::new(ratio)).build();
/// # let _ = pipeline;
/// ```
#[derive(Debug)]
pub struct SdkSampler<S>(S);

impl<S: ShouldSample> SdkSampler<S> {
    /// Asks `sampler`.
    pub const fn new(sampler: S) -> Self {
        Self(sampler)
    }
}

impl<S: ShouldSample + 'static> Sampler for SdkSampler<S> {
    fn sample(&self, parent: Option<&SpanContext>, trace_id: TraceId, name: &str) -> bool {
        let above = parent.map(|parent| SdkContext::new().with_remote_span_context(convert::to_sdk(parent)));
        let trace_id = trace::TraceId::from(u128::from_be_bytes(trace_id.to_bytes()));
        let result = self.0.should_sample(above.as_ref(), trace_id, name, &SpanKind::Internal, &[], &[]);
        result.decision == SamplingDecision::RecordAndSample
    }
}

/// What the SDK asks: for a span of ours the decision is made, for any other the sampler of the pipeline decides.
#[derive(Clone)]
pub(super) struct Decided(pub(super) Pipeline);

impl ShouldSample for Decided {
    fn should_sample(
        &self,
        parent: Option<&SdkContext>,
        trace_id: trace::TraceId,
        name: &str,
        _: &SpanKind,
        _: &[KeyValue],
        _: &[Link],
    ) -> SamplingResult {
        let sampled = handover::is_being_born() || self.asks_ours(parent, trace_id, name);
        SamplingResult {
            decision: if sampled { SamplingDecision::RecordAndSample } else { SamplingDecision::Drop },
            attributes: Vec::new(),
            trace_state: parent
                .map_or(TraceState::NONE, |parent| parent.span().span_context().trace_state().clone()),
        }
    }
}

impl Decided {
    fn asks_ours(&self, parent: Option<&SdkContext>, trace_id: trace::TraceId, name: &str) -> bool {
        let above = parent.and_then(|parent| convert::from_sdk(parent.span().span_context()));
        let trace_id = TraceId::from_bytes(trace_id.to_bytes());
        match (self.0.sampler(), trace_id) {
            (Some(sampler), Some(trace_id)) => sampler.sample(above.as_ref(), trace_id, name),
            _ => false,
        }
    }
}

impl fmt::Debug for Decided {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Decided")
    }
}
