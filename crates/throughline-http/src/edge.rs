//! How far each caller is believed.

use std::{fmt, net::SocketAddr};

use http::{HeaderMap, request::Parts};
use throughline_core::EdgePolicy;

/// Chooses how far a request's ids, sampled flag, baggage and correlation id are believed.
///
/// Implemented by [`EdgePolicy`], which is the same for every request, and by closures. Called once a request or gRPC call,
/// before any of those is read; it must not block.
///
/// ```
/// use throughline_core::EdgePolicy;
/// use throughline_http::Incoming;
///
/// let layer = throughline_http::server().edge(|request: &Incoming<'_>| match request.route() {
///     Some("/health") => EdgePolicy::ignore(),
///     _ if request.peer().is_some_and(|peer| peer.ip().is_loopback()) => EdgePolicy::trust(),
///     _ => EdgePolicy::edge(),
/// });
/// # let _ = layer;
/// ```
///
/// What a header says is what the caller says: only a header that a proxy of your own sets, and takes from everybody else,
/// is worth a choice.
pub trait Edge: Send + Sync + 'static {
    /// The policy for this request.
    fn policy(&self, request: &Incoming<'_>) -> EdgePolicy;
}

impl Edge for EdgePolicy {
    fn policy(&self, _: &Incoming<'_>) -> EdgePolicy {
        self.clone()
    }
}

impl<F> Edge for F
where
    F: Fn(&Incoming<'_>) -> EdgePolicy + Send + Sync + 'static,
{
    fn policy(&self, request: &Incoming<'_>) -> EdgePolicy {
        self(request)
    }
}

impl fmt::Debug for dyn Edge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Edge")
    }
}

/// A request or gRPC call that has arrived, and of which nothing is believed yet.
pub struct Incoming<'a> {
    head: &'a Parts,
    route: Option<&'a str>,
    peer_of: fn(&Parts) -> Option<SocketAddr>,
}

impl<'a> Incoming<'a> {
    /// How the peer is found is asked only where somebody wants to know it.
    pub(crate) const fn new(
        head: &'a Parts,
        route: Option<&'a str>,
        peer_of: fn(&Parts) -> Option<SocketAddr>,
    ) -> Self {
        Self { head, route, peer_of }
    }

    /// Method, target, headers and extensions.
    #[must_use]
    pub const fn head(&self) -> &'a Parts {
        self.head
    }

    /// The headers.
    #[must_use]
    pub const fn headers(&self) -> &'a HeaderMap {
        &self.head.headers
    }

    /// The other end of the connection, which is the proxy's where there is one.
    ///
    /// `None` unless the server says so: axum's does with `into_make_service_with_connect_info::<SocketAddr>()` and the
    /// feature `axum`, tonic's by itself, others by a `SocketAddr` among the request's extensions.
    #[must_use]
    pub fn peer(&self) -> Option<SocketAddr> {
        (self.peer_of)(self.head)
    }

    /// The pattern of the route, where the router has matched one before this layer; of a gRPC call its full method,
    /// `package.Service/Method`, or `_OTHER`.
    #[must_use]
    pub const fn route(&self) -> Option<&'a str> {
        self.route
    }
}

impl fmt::Debug for Incoming<'_> {
    /// Shows no headers: they may be secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Incoming")
            .field("method", &self.head.method)
            .field("route", &self.route)
            .field("peer", &self.peer())
            .finish_non_exhaustive()
    }
}
