//! What the server's and the client's side of an exchange have in common.

use std::{any::type_name, time::Instant};

use http::HeaderMap;
use throughline_core::{Context, Pipeline, SpanExt, semconv::error::ERROR_TYPE_OTHER};
use tracing::Span;

/// An exchange that has begun and not ended: the span it runs in, the clock, and whether somebody else's code is running.
#[derive(Debug)]
pub(crate) struct Flight {
    pub(crate) span: Span,
    pub(crate) pipeline: Pipeline,
    /// What is current beside the span; set only where the span is filtered out and has no ids of its own.
    passthrough: Option<Context>,
    /// When it began; only where somebody wants to know.
    started: Option<Instant>,
    is_measured: bool,
    /// Set while the wrapped code runs. Still set when the exchange is dropped: the wrapped code panicked.
    inside: bool,
}

impl Flight {
    /// An exchange that runs in `span`, or in `outside` where the span is filtered out. A span that is `recorded`, as
    /// whoever edited it has seen, need not be asked for its ids.
    pub(crate) fn new(span: Span, recorded: bool, outside: &Context, pipeline: Pipeline) -> Self {
        let passthrough = (!recorded && !span.has_context()).then(|| outside.clone());
        let is_measured = pipeline.has_recorder();
        let started = is_measured.then(Instant::now);
        Self { span, pipeline, passthrough, started, is_measured, inside: false }
    }

    /// The same without metrics.
    pub(crate) fn unmeasured(span: Span, outside: &Context, pipeline: Pipeline) -> Self {
        let passthrough = (!span.has_context()).then(|| outside.clone());
        Self { span, pipeline, passthrough, started: None, is_measured: false, inside: false }
    }

    /// An exchange without a span and without metrics, which runs in `outside`.
    pub(crate) fn unseen(outside: &Context, pipeline: Pipeline) -> Self {
        Self::unmeasured(Span::none(), outside, pipeline)
    }

    /// Whether metrics of it are wanted.
    pub(crate) const fn is_measured(&self) -> bool {
        self.is_measured
    }

    /// Lets it know how long it takes, also where there are no metrics.
    pub(crate) fn start_clock(&mut self) {
        self.started.get_or_insert_with(Instant::now);
    }

    /// The context inside its span, or `outside` where it has none of its own.
    pub(crate) fn context(&self, outside: &Context) -> Context {
        if self.span.has_context() { self.span.context() } else { outside.clone() }
    }

    /// Runs the wrapped code inside the exchange.
    pub(crate) fn run<T>(&mut self, work: impl FnOnce() -> T) -> T {
        self.inside = true;
        let result = self.within(work);
        self.inside = false;
        result
    }

    /// Runs `work` inside the exchange without taking notice of a panic.
    pub(crate) fn within<T>(&self, work: impl FnOnce() -> T) -> T {
        let _context = self.passthrough.as_ref().map(Context::enter);
        let _span = self.span.enter();
        work()
    }

    /// Whether the wrapped code panicked, for whoever is dropped without having ended.
    pub(crate) const fn panicked(&self) -> bool {
        self.inside
    }

    /// Seconds since the exchange began.
    pub(crate) fn seconds(&self) -> f64 {
        self.started.map_or(0.0, |started| started.elapsed().as_secs_f64())
    }
}

/// One side of an exchange: what must hear of its end, exactly once, on every path.
///
/// Whoever implements this ends itself when it is dropped without having been told.
pub(crate) trait InFlight {
    /// What it has in common with the other side.
    fn flight(&mut self) -> &mut Flight;

    /// The trailers of the body passed by: for whoever finds there how it went.
    fn trailers(&mut self, _: &HeaderMap) {}

    /// So many bytes of the body passed, in one frame.
    fn passed(&mut self, _: u64) {}

    /// The exchange is over; every call but the first does nothing.
    fn finish(&mut self, end: End);
}

impl<X: InFlight> InFlight for Box<X> {
    fn flight(&mut self) -> &mut Flight {
        (**self).flight()
    }

    fn trailers(&mut self, trailers: &HeaderMap) {
        (**self).trailers(trailers);
    }

    fn passed(&mut self, bytes: u64) {
        (**self).passed(bytes);
    }

    fn finish(&mut self, end: End) {
        (**self).finish(end);
    }
}

/// How an exchange ended: the values of `throughline.http.end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// The last byte of the body passed by.
    Complete,
    /// Server: the client went away, or the connection broke.
    ClientGone,
    /// Client: the caller lost interest.
    Cancelled,
    /// The wrapped service or the body failed, with an error of this kind.
    Failed(&'static str),
    /// The wrapped code panicked.
    Panicked,
}

impl End {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::ClientGone => "client_gone",
            Self::Cancelled => "cancelled",
            Self::Failed(_) => "error",
            Self::Panicked => "panic",
        }
    }

    /// The `error.type` that this end stands for by itself.
    pub(crate) const fn error_type(self) -> Option<&'static str> {
        match self {
            Self::Complete | Self::Cancelled => None,
            Self::ClientGone => Some("client_gone"),
            Self::Failed(kind) => Some(kind),
            Self::Panicked => Some("panic"),
        }
    }
}

/// The `error.type` of an error of which only the type is known: that type, unless it hides another one.
///
/// Never its message: that may quote a URL or a credential.
pub(crate) fn kind_by_type<E>(_: &E) -> &'static str {
    let name = type_name::<E>();
    if name.contains("dyn ") { ERROR_TYPE_OTHER } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_named_by_its_type_and_not_by_its_message() {
        assert_eq!(kind_by_type(&std::fmt::Error), "core::fmt::Error");
        let boxed: Box<dyn std::error::Error> = "secret".into();
        assert_eq!(kind_by_type(&boxed), "_OTHER");
    }
}
