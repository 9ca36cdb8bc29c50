//! An app, requests and headers for these tests.

use axum::{Router, body::Body, extract::Request, http::StatusCode, response::Response, routing::get};
use throughline::{Context, core::Propagator};
use tower::ServiceExt;

/// The trace of a caller.
pub(crate) const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
/// The `traceparent` of a caller, sampled and random.
pub(crate) const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-03";

pub(crate) type Headers = Vec<(String, String)>;

pub(crate) fn headers(pairs: &[(&str, &str)]) -> Headers {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// What the next hop gets of these headers, without a span of ours between.
pub(crate) fn passed_on(pairs: &[(&str, &str)]) -> Headers {
    let propagator = Propagator::default();
    let context = propagator.extract(&headers(pairs), &throughline::EdgePolicy::trust());
    let mut out = Headers::new();
    propagator.inject(&context, &mut out);
    out
}

/// One of them.
pub(crate) fn get_header<'a>(headers: &'a Headers, name: &str) -> Option<&'a str> {
    headers.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
}

/// A traced app: `/orders/{id}` answers with the headers that a further request would carry.
pub(crate) fn app() -> Router {
    Router::new()
        .route("/orders/{id}", get(async || format!("{:?}", outgoing())))
        .route("/fail", get(async || StatusCode::INTERNAL_SERVER_ERROR))
        .layer(throughline::http::server())
}

/// The headers that a request sent from here would carry.
pub(crate) fn outgoing() -> Headers {
    let mut out = Headers::new();
    Propagator::default().inject(&Context::current(), &mut out);
    out
}

pub(crate) fn request(path: &str, headers: &[(&str, &str)]) -> Request {
    let builder =
        headers.iter().fold(Request::get(path), |builder, (name, value)| builder.header(*name, *value));
    builder.body(Body::empty()).unwrap()
}

pub(crate) async fn send(app: Router, request: Request) -> Response {
    app.oneshot(request).await.unwrap()
}

/// The body to its end, which is when a server's span ends.
pub(crate) async fn read(response: Response) -> String {
    let bytes = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
    String::from_utf8(bytes.to_vec()).unwrap()
}
