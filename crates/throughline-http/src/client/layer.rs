//! The client's layer: settings only.

use tower_layer::Layer;

use super::{Propagation, Trace};

/// The layer that traces outgoing requests; see [the module](mod@crate::client).
pub fn client() -> TraceLayer {
    TraceLayer::new()
}

/// Traces the requests that the client below it sends; see [the module](mod@crate::client).
#[derive(Clone, Debug, Default)]
#[must_use = "a layer does nothing until it is added to a client"]
pub struct TraceLayer {
    propagation: Propagation,
}

impl TraceLayer {
    /// Sends the current context to every host.
    pub fn new() -> Self {
        Self::default()
    }
}

impl<S> Layer<S> for TraceLayer {
    type Service = Trace<S>;

    fn layer(&self, inner: S) -> Trace<S> {
        Trace::new(inner, self.propagation.clone())
    }
}
