//! The server's layer: settings only.

use std::{fmt, sync::Arc};

use http::{HeaderName, uri::Scheme};
use throughline_core::{
    EdgePolicy, KnownMethods,
    semconv::http::{HTTP_REQUEST_HEADER, HTTP_RESPONSE_HEADER},
};
use tower_layer::Layer;

use super::{DefaultRouteName, Route, RouteName, Skip, Streaming, Trace, TrustedProxies};
use crate::{
    Edge, attributes,
    captured::CapturedHeaders,
    counters::{Counters, Counts},
};

/// The layer that traces incoming requests; see [the module](mod@crate::server).
pub fn server() -> TraceLayer {
    TraceLayer::new()
}

/// Traces the requests of the service below it; see [the module](mod@crate::server).
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing until it is added to a service"]
pub struct TraceLayer {
    settings: Arc<Settings>,
}

#[derive(Clone)]
pub(super) struct Settings {
    pub(super) edge: Arc<dyn Edge>,
    pub(super) route_name: Arc<dyn RouteName>,
    pub(super) scheme: &'static str,
    pub(super) skip: Option<Arc<dyn Skip>>,
    pub(super) trusted_proxies: TrustedProxies,
    pub(super) known_methods: Option<KnownMethods>,
    pub(super) request_headers: CapturedHeaders,
    pub(super) of_response: OfResponse,
    pub(super) counts: Arc<Counts>,
}

/// What a response is asked for beyond its status, its route and its length; nothing unless told otherwise.
#[derive(Clone, Debug, Default)]
pub(super) struct OfResponse {
    pub(super) headers: CapturedHeaders,
    pub(super) body_sizes: bool,
    pub(super) time_to_first_byte: bool,
    pub(super) server_timing: bool,
    pub(super) streaming: Streaming,
}

impl Settings {
    /// Whether there is more to ask a response than its status and its length.
    pub(super) fn looks_at_responses(&self, route: Option<&Route>) -> bool {
        route.is_none() || !self.of_response.is_nothing()
    }
}

impl OfResponse {
    fn is_nothing(&self) -> bool {
        let Self { headers, body_sizes, time_to_first_byte, server_timing, streaming } = self;
        headers.is_empty()
            && !(*body_sizes || *time_to_first_byte || *server_timing)
            && *streaming == Streaming::Whole
    }
}

impl TraceLayer {
    /// Trusts the caller, and asks axum for the route where the feature `axum` is on.
    pub fn new() -> Self {
        Self {
            settings: Arc::new(Settings {
                edge: Arc::new(EdgePolicy::default()),
                route_name: Arc::new(DefaultRouteName),
                scheme: "http",
                skip: None,
                trusted_proxies: TrustedProxies::default(),
                known_methods: None,
                request_headers: CapturedHeaders::default(),
                of_response: OfResponse::default(),
                counts: Arc::default(),
            }),
        }
    }

    /// What to believe of the caller's headers: an [`EdgePolicy`], or a closure that chooses one by the request.
    ///
    /// The default is to trust them.
    pub fn edge(self, edge: impl Edge) -> Self {
        self.with(|settings| settings.edge = Arc::new(edge))
    }

    /// For an entrance that strangers use: [`EdgePolicy::edge`], a new trace that links to theirs, without their baggage.
    ///
    /// Its name says what the entrance is, and so reads well in the one line where the layer is added.
    pub fn public(self) -> Self {
        self.edge(EdgePolicy::edge())
    }

    /// Where a request's route is found; a closure, or `()` for nowhere.
    pub fn route_name(self, route_name: impl RouteName) -> Self {
        self.with(|settings| settings.route_name = Arc::new(route_name))
    }

    /// What `url.scheme` is where the request itself doesn't tell, which over HTTP/1 it never does; `http` by default.
    ///
    /// A scheme other than `http` and `https` is ignored.
    pub fn scheme(self, scheme: &Scheme) -> Self {
        self.with(|settings| settings.scheme = attributes::scheme(scheme).unwrap_or(settings.scheme))
    }

    /// Which requests get no span and no metrics: [`SkipPaths`](super::SkipPaths) or a closure; none by default.
    pub fn skip(self, skip: impl Skip) -> Self {
        self.with(|settings| settings.skip = Some(Arc::new(skip)))
    }

    /// Whose `forwarded` and `x-forwarded-*` headers are believed; nobody's by default.
    ///
    /// It decides `client.address`, `url.scheme`, `server.address` and `server.port`, and needs the peer's address: on
    /// axum serve with `into_make_service_with_connect_info::<SocketAddr>()`, elsewhere put a `SocketAddr` into the
    /// request's extensions.
    pub fn trusted_proxies(self, proxies: TrustedProxies) -> Self {
        self.with(|settings| settings.trusted_proxies = proxies)
    }

    /// Which methods are told apart, in place of those of the subscriber's pipeline
    /// (`OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS`) and of the conventions.
    pub fn known_methods(self, methods: KnownMethods) -> Self {
        self.with(|settings| settings.known_methods = Some(methods))
    }

    /// Which headers of a request are recorded, as `http.request.header.{name}`; none by default.
    ///
    /// What a [list](mod@crate::server#headers-on-the-span) may name, and what is never shown, is on the module's page.
    pub fn request_headers(self, names: impl IntoIterator<Item = HeaderName>) -> Self {
        let headers = CapturedHeaders::new(HTTP_REQUEST_HEADER, names);
        self.with(|settings| settings.request_headers = headers)
    }

    /// Which headers of a response are recorded, as `http.response.header.{name}`; none by default.
    pub fn response_headers(self, names: impl IntoIterator<Item = HeaderName>) -> Self {
        let headers = CapturedHeaders::new(HTTP_RESPONSE_HEADER, names);
        self.with(|settings| settings.of_response.headers = headers)
    }

    /// Records `http.request.body.size`, where the request announces it, and `http.response.body.size`: the bytes that
    /// passed this layer, also where the response broke off.
    pub fn body_sizes(self) -> Self {
        self.with(|settings| settings.of_response.body_sizes = true)
    }

    /// Records `throughline.http.time_to_first_byte_ms`: from the request to the head of its response.
    pub fn time_to_first_byte(self) -> Self {
        self.with(|settings| settings.of_response.time_to_first_byte = true)
    }

    /// Tells the caller which span served it: adds `server-timing: trace;desc=00-{trace id}-{span id}-{flags}` to each
    /// response. Scripts of a browser can read it.
    pub fn server_timing(self) -> Self {
        self.with(|settings| settings.of_response.server_timing = true)
    }

    /// How event streams look in a trace; [`Streaming::Whole`] by default.
    pub fn streaming(self, streaming: Streaming) -> Self {
        self.with(|settings| settings.of_response.streaming = streaming)
    }

    /// What this layer, its clones and the services under them left out so far.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.settings.counts.read()
    }

    fn with(mut self, change: impl FnOnce(&mut Settings)) -> Self {
        change(Arc::make_mut(&mut self.settings));
        self
    }
}

impl Default for TraceLayer {
    fn default() -> Self {
        Self::new()
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
            .field("edge", &self.edge)
            .field("scheme", &self.scheme)
            .field("trusted_proxies", &self.trusted_proxies)
            .field("request_headers", &self.request_headers)
            .field("of_response", &self.of_response)
            .finish_non_exhaustive()
    }
}
