//! Which route a request matched.

use std::sync::Arc;

use http::{Extensions, request::Parts};

/// Finds the route that a request matched: `/orders/{id}`, never `/orders/17`.
///
/// It becomes `http.route`, part of the span's name, and a label of the metrics, so it must come from a small, fixed set.
/// Where no route is known the answer is `None`: a request for a path that doesn't exist has no route.
///
/// Implemented by [`DefaultRouteName`], by closures, and by `()`, which never finds one. Called once a request, before
/// the span is opened; it must not block.
pub trait RouteName: Send + Sync + 'static {
    /// The route of `request`, if the router has matched one already.
    fn route(&self, request: &Parts) -> Option<Route>;

    /// The route, from what the router left on the response; asked only where the request had none.
    fn route_of_response(&self, extensions: &Extensions) -> Option<Route> {
        let _unused = extensions;
        None
    }
}

/// Asks axum (`MatchedPath`), if the feature `axum` is on; knows no route otherwise.
#[derive(Clone, Copy, Debug, Default)]
pub struct DefaultRouteName;

impl RouteName for DefaultRouteName {
    fn route(&self, request: &Parts) -> Option<Route> {
        self.route_of_response(&request.extensions)
    }

    #[cfg(feature = "axum")]
    fn route_of_response(&self, extensions: &Extensions) -> Option<Route> {
        extensions.get::<axum::extract::MatchedPath>().map(|path| Route(Inner::Matched(path.clone())))
    }
}

impl<F> RouteName for F
where
    F: Fn(&Parts) -> Option<Route> + Send + Sync + 'static,
{
    fn route(&self, request: &Parts) -> Option<Route> {
        self(request)
    }
}

impl RouteName for () {
    fn route(&self, _: &Parts) -> Option<Route> {
        None
    }
}

/// The pattern of a route. Cheap to make from what routers keep: a static or shared text.
#[derive(Clone, Debug)]
pub struct Route(Inner);

#[derive(Clone, Debug)]
enum Inner {
    Static(&'static str),
    Shared(Arc<str>),
    #[cfg(feature = "axum")]
    Matched(axum::extract::MatchedPath),
}

impl Route {
    /// The pattern as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Inner::Static(text) => text,
            Inner::Shared(text) => text,
            #[cfg(feature = "axum")]
            Inner::Matched(path) => path.as_str(),
        }
    }
}

impl From<&'static str> for Route {
    fn from(route: &'static str) -> Self {
        Self(Inner::Static(route))
    }
}

impl From<Arc<str>> for Route {
    fn from(route: Arc<str>) -> Self {
        Self(Inner::Shared(route))
    }
}

impl From<String> for Route {
    fn from(route: String) -> Self {
        Self(Inner::Shared(route.into()))
    }
}
