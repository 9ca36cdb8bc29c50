//! What the hops of one program share.

use std::{
    fmt,
    sync::{Arc, LazyLock},
};

use crate::{
    AlwaysOn, ContextLayer, KnownMethods, Orphans, ParentBased, Propagator, Recorder, Sampler, Value,
    recorder::Metric, redact::Redactor,
};

/// The propagation, the sampler and the metrics of one `tracing` subscriber.
///
/// [`ContextLayer`] carries it, so that every middleware finds the one that belongs to the subscriber it runs under:
/// two tests, or two programs in one process, never share it. Cloning is cheap.
#[derive(Clone)]
pub struct Pipeline(Arc<Inner>);

struct Inner {
    propagator: Propagator,
    /// None: no spans are made, and what came in goes on.
    sampler: Option<Box<dyn Sampler>>,
    recorder: Option<Arc<dyn Recorder>>,
    redactor: Redactor,
    known_methods: Option<KnownMethods>,
    orphans: Option<Orphans>,
}

/// What applies where no [`ContextLayer`] is installed: propagation works, nothing is recorded.
static WITHOUT_LAYER: LazyLock<Pipeline> = LazyLock::new(|| Pipeline::builder().build());

impl Pipeline {
    /// Starts from the defaults: W3C headers and `x-correlation-id`, parent-based always-on sampling, no metrics,
    /// the default rules of redaction.
    pub fn builder() -> PipelineBuilder {
        PipelineBuilder(Inner {
            propagator: Propagator::default(),
            sampler: Some(Box::new(ParentBased::new(AlwaysOn))),
            recorder: None,
            redactor: Redactor::default(),
            known_methods: None,
            orphans: None,
        })
    }

    /// The pipeline of this thread's subscriber, or one with the defaults where that has no [`ContextLayer`].
    #[must_use]
    pub fn current() -> Self {
        let of_subscriber = tracing::dispatcher::get_default(|dispatch| {
            dispatch.downcast_ref::<ContextLayer>().map(|layer| layer.pipeline().clone())
        });
        of_subscriber.unwrap_or_else(|| WITHOUT_LAYER.clone())
    }

    /// How ids, baggage and correlation id travel.
    #[must_use]
    pub fn propagator(&self) -> &Propagator {
        &self.0.propagator
    }

    /// Which traces are recorded; `None` where no spans are made at all.
    #[must_use]
    pub fn sampler(&self) -> Option<&dyn Sampler> {
        self.0.sampler.as_deref()
    }

    /// What keeps secrets out of what the hops record.
    #[must_use]
    pub fn redactor(&self) -> &Redactor {
        &self.0.redactor
    }

    /// Which HTTP methods are told apart; `None` for those of the conventions.
    #[must_use]
    pub fn known_methods(&self) -> Option<&KnownMethods> {
        self.0.known_methods.as_ref()
    }

    /// The detector of work that has left its trace; `None` unless it is switched on.
    #[must_use]
    pub fn orphans(&self) -> Option<&Orphans> {
        self.0.orphans.as_ref()
    }

    /// Whether metrics are wanted at all: worth asking before attributes are put together.
    #[must_use]
    pub fn has_recorder(&self) -> bool {
        self.0.recorder.is_some()
    }

    /// Records a measurement; does nothing where no recorder is set.
    pub fn record(&self, metric: Metric, value: f64, attributes: &[(&'static str, Value<'_>)]) {
        if let Some(recorder) = &self.0.recorder {
            recorder.record(metric, value, attributes);
        }
    }
}

impl fmt::Debug for Pipeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pipeline")
            .field("propagator", &self.0.propagator)
            .field("metrics", &self.has_recorder())
            .finish_non_exhaustive()
    }
}

/// Puts a [`Pipeline`] together; ends with [`build`](Self::build).
#[must_use = "nothing is set up until `build` is called"]
pub struct PipelineBuilder(Inner);

impl PipelineBuilder {
    /// How ids, baggage and correlation id travel.
    pub fn propagator(mut self, propagator: Propagator) -> Self {
        self.0.propagator = propagator;
        self
    }

    /// Which traces are recorded.
    pub fn sampler(mut self, sampler: impl Sampler) -> Self {
        self.0.sampler = Some(Box::new(sampler));
        self
    }

    /// Gives spans no ids: what came in goes on to the next hop as it is. For programs whose tracing is switched off.
    pub fn pass_through(mut self) -> Self {
        self.0.sampler = None;
        self
    }

    /// Where measurements go.
    pub fn recorder(mut self, recorder: Arc<dyn Recorder>) -> Self {
        self.0.recorder = Some(recorder);
        self
    }

    /// What keeps secrets out of what the hops record: rules, or a [`Redactor`] that others have, too.
    pub fn redaction(mut self, redaction: impl Into<Redactor>) -> Self {
        self.0.redactor = redaction.into();
        self
    }

    /// Which HTTP methods are told apart (`OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS`), in place of those of the
    /// conventions.
    pub fn known_methods(mut self, methods: KnownMethods) -> Self {
        self.0.known_methods = Some(methods);
        self
    }

    /// Finds work that has left its trace (`THROUGHLINE_ORPHANS`): for development.
    pub fn orphans(mut self, orphans: Orphans) -> Self {
        self.0.orphans = Some(orphans);
        self
    }

    /// The finished pipeline.
    #[must_use]
    pub fn build(self) -> Pipeline {
        Pipeline(Arc::new(self.0))
    }
}

impl fmt::Debug for PipelineBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PipelineBuilder").finish_non_exhaustive()
    }
}
