//! The client's layer: settings only.

use std::{fmt, sync::Arc};

use http::{HeaderMap, HeaderName};
use throughline_core::{
    Context, DIAGNOSTICS_TARGET, KnownMethods, Propagator, SpanRecord,
    redact::Redactor,
    semconv::http::{HTTP_REQUEST_BODY_SIZE, HTTP_REQUEST_HEADER, HTTP_RESPONSE_HEADER},
};
use tower_layer::Layer;

use super::{Propagation, Trace};
use crate::{
    HeaderCarrier,
    attributes::announced_length,
    captured::CapturedHeaders,
    counters::{Counters, Counts, count},
};

/// The layer that traces outgoing requests; see [the module](mod@crate::client).
pub fn client() -> TraceLayer {
    TraceLayer::new()
}

/// Traces the requests that the client below it sends; see [the module](mod@crate::client).
#[derive(Clone, Debug, Default)]
#[must_use = "a layer does nothing until it is added to a client"]
pub struct TraceLayer {
    settings: Arc<Settings>,
}

#[derive(Clone, Default)]
pub(crate) struct Settings {
    /// None: every host.
    propagation: Option<Arc<dyn Propagation>>,
    request_headers: CapturedHeaders,
    pub(super) known_methods: Option<KnownMethods>,
    pub(super) response_headers: CapturedHeaders,
    pub(super) body_sizes: bool,
    pub(super) time_to_first_byte: bool,
    pub(super) counts: Arc<Counts>,
}

impl TraceLayer {
    /// Sends the current context to every host.
    pub fn new() -> Self {
        Self::default()
    }

    /// Which hosts are told trace, baggage and correlation id: a list ([`Hosts`](super::Hosts)), a closure of the
    /// host's name, or `()` for none; all by default.
    pub fn propagation(self, propagation: impl Propagation) -> Self {
        self.with(|settings| settings.propagation = Some(Arc::new(propagation)))
    }

    /// Which methods are told apart, in place of those of the subscriber's pipeline
    /// (`OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS`) and of the conventions.
    pub fn known_methods(self, methods: KnownMethods) -> Self {
        self.with(|settings| settings.known_methods = Some(methods))
    }

    /// Which headers of a request are recorded, as `http.request.header.{name}`; none by default.
    ///
    /// What a [list](mod@crate::server#headers-on-the-span) may name, and what is never shown, is on the server's page.
    pub fn request_headers(self, names: impl IntoIterator<Item = HeaderName>) -> Self {
        let headers = CapturedHeaders::new(HTTP_REQUEST_HEADER, names);
        self.with(|settings| settings.request_headers = headers)
    }

    /// Which headers of a response are recorded, as `http.response.header.{name}`; none by default.
    pub fn response_headers(self, names: impl IntoIterator<Item = HeaderName>) -> Self {
        let headers = CapturedHeaders::new(HTTP_RESPONSE_HEADER, names);
        self.with(|settings| settings.response_headers = headers)
    }

    /// Records `http.request.body.size`, where the request announces it with `content-length`, and
    /// `http.response.body.size`: the bytes that passed this layer, also where the response broke off.
    pub fn body_sizes(self) -> Self {
        self.with(|settings| settings.body_sizes = true)
    }

    /// Records `throughline.http.time_to_first_byte_ms`: from the request to the head of its response.
    pub fn time_to_first_byte(self) -> Self {
        self.with(|settings| settings.time_to_first_byte = true)
    }

    /// What this layer, its clones and the clients under them left out so far.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.settings.counts.read()
    }

    #[cfg(feature = "reqwest")]
    pub(crate) fn into_settings(self) -> Arc<Settings> {
        self.settings
    }

    fn with(mut self, change: impl FnOnce(&mut Settings)) -> Self {
        change(Arc::make_mut(&mut self.settings));
        self
    }
}

impl Settings {
    /// Whether there is more to ask a response than its status.
    pub(super) fn looks_at_responses(&self) -> bool {
        self.body_sizes || self.time_to_first_byte || !self.response_headers.is_empty()
    }

    /// Records what somebody asked for of a request.
    pub(super) fn describe(&self, record: &mut dyn SpanRecord, headers: &HeaderMap, redactor: &Redactor) {
        if self.body_sizes
            && let Some(bytes) = announced_length(headers)
        {
            record.attribute(HTTP_REQUEST_BODY_SIZE, bytes.into());
        }
        self.request_headers.record(headers, record, redactor, &self.counts);
    }

    /// Writes `context` into the headers of an attempt that goes to `host`, or takes out what is there.
    pub(super) fn inject(
        &self,
        propagator: &Propagator,
        context: &Context,
        host: Option<&str>,
        headers: &mut HeaderMap,
    ) {
        let mut carrier = HeaderCarrier::new(headers);
        if self.propagation.as_ref().is_none_or(|propagation| propagation.allows(host)) {
            propagator.inject(context, &mut carrier);
        } else {
            count(&self.counts.hosts_not_told);
            propagator.clear(&mut carrier);
        }
        if carrier.dropped() > 0 {
            tracing::warn!(
                target: DIAGNOSTICS_TARGET,
                dropped = carrier.dropped(),
                "left headers out of an outgoing request that HTTP does not allow"
            );
        }
    }
}

impl<S> Layer<S> for TraceLayer {
    type Service = Trace<S>;

    fn layer(&self, inner: S) -> Trace<S> {
        Trace::new(inner, Arc::clone(&self.settings))
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("request_headers", &self.request_headers)
            .field("response_headers", &self.response_headers)
            .finish_non_exhaustive()
    }
}
