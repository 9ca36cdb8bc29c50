//! Which spans exist, and which events are logged: two separate questions.

use tracing::{Metadata, Subscriber, subscriber::Interest};
use tracing_core::LevelFilter;
use tracing_subscriber::{
    filter::Targets,
    layer::{Context, Filter, Layer},
};

use crate::{DIAGNOSTICS_TARGET, LogFilterHandle};

/// The log filter and the span filter of one subscriber.
///
/// The log filter decides on log lines alone. The span filter decides which spans exist and which events are kept on
/// them. Neither touches propagation: turning both off still passes an incoming trace on.
///
/// As a [`Layer`], or as a per-layer [`Filter`] where others stand beside ours, it lets through what either of the two wants; each layer then asks
/// [`is_log`](Self::is_log) or [`is_span_event`](Self::is_span_event) for itself.
///
/// ```
/// use throughline_core::Filters;
/// let filters = Filters::new("warn".parse()?, "info,hyper=off".parse()?);
/// # let _ = filters; Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Filters {
    logs: LogFilterHandle,
    spans: Targets,
}

impl Default for Filters {
    /// Everything at INFO and above.
    fn default() -> Self {
        let info = Targets::new().with_default(LevelFilter::INFO);
        Self::new(info.clone(), info)
    }
}

impl Filters {
    /// Log lines by `logs`; spans and their events by `spans`.
    #[must_use]
    pub fn new(logs: Targets, spans: Targets) -> Self {
        Self { logs: LogFilterHandle::new(logs), spans }
    }

    /// The log filter, to be changed while the program runs. Clones of these filters share it.
    #[must_use]
    pub fn log_filter(&self) -> LogFilterHandle {
        self.logs.clone()
    }

    /// Whether an event becomes a log line.
    #[must_use]
    pub fn is_log(&self, event: &Metadata<'_>) -> bool {
        self.logs.is_enabled(event)
    }

    /// Whether an event is kept on the span around it. Our own diagnostics never are: they must not be exported.
    #[must_use]
    pub fn is_span_event(&self, event: &Metadata<'_>) -> bool {
        self.spans.would_enable(event.target(), event.level()) && event.target() != DIAGNOSTICS_TARGET
    }

    /// Whether an event becomes an OTLP log record. Our own diagnostics never do: they must not be exported.
    #[must_use]
    pub fn is_log_record(&self, event: &Metadata<'_>) -> bool {
        self.is_log(event) && event.target() != DIAGNOSTICS_TARGET
    }

    /// The most verbose level that anything is let through at.
    fn most_verbose(&self) -> Option<LevelFilter> {
        let most =
            |targets: &Targets| targets.iter().map(|(_, level)| level).chain(targets.default_level()).max();
        Some(self.logs.most_verbose()).max(most(&self.spans))
    }

    fn wants(&self, metadata: &Metadata<'_>) -> bool {
        if metadata.is_span() {
            return self.spans.would_enable(metadata.target(), metadata.level());
        }
        self.is_log(metadata) || self.is_span_event(metadata)
    }
}

/// For a subscriber that has no layers but ours: filtering for all at once saves each layer a look-up a callback.
impl<S: Subscriber> Layer<S> for Filters {
    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        self.wants(metadata)
    }

    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        if self.wants(metadata) { Interest::always() } else { Interest::never() }
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        self.most_verbose()
    }
}

impl<S: Subscriber> Filter<S> for Filters {
    fn enabled(&self, metadata: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        self.wants(metadata)
    }

    fn callsite_enabled(&self, metadata: &'static Metadata<'static>) -> Interest {
        if self.wants(metadata) { Interest::always() } else { Interest::never() }
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        self.most_verbose()
    }
}
