//! The server's layer: settings only.

use std::{fmt, sync::Arc};

use http::uri::Scheme;
use throughline_core::EdgePolicy;
use tower_layer::Layer;

use super::{DefaultRouteName, RouteName, Trace};
use crate::attributes;

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
    pub(super) edge: EdgePolicy,
    pub(super) route_name: Arc<dyn RouteName>,
    pub(super) scheme: &'static str,
}

impl TraceLayer {
    /// Trusts the caller, and asks axum for the route where the feature `axum` is on.
    pub fn new() -> Self {
        Self {
            settings: Arc::new(Settings {
                edge: EdgePolicy::default(),
                route_name: Arc::new(DefaultRouteName),
                scheme: "http",
            }),
        }
    }

    /// What to believe of the caller's headers; the default is to trust them.
    pub fn edge(self, edge: EdgePolicy) -> Self {
        self.with(|settings| settings.edge = edge)
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
            .finish_non_exhaustive()
    }
}
