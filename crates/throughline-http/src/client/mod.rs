//! Requests that go out.
//!
//! [`client()`](crate::client()) is a tower layer for any client that is a service of `http::Request` and
//! `http::Response`. Every attempt gets a span of its own, whose ids travel in its headers. For `reqwest`, which follows
//! redirects inside one call, see [`crate::reqwest`](mod@crate::reqwest).
//!
//! ```text
//! request ──► Trace::call      open the span · traceparent, tracestate, baggage, correlation id into the headers · gauge +1
//!              │
//!              ├─ the client    runs, polls and drops inside the span
//!              │
//!             ResponseFuture   status, or the kind of error
//!              │
//!             ResponseBody     last frame, error or loss of interest: how it ended · duration · gauge −1 · span closes
//! ```
//!
//! # Where it stands
//!
//! Inside layers that retry, so that each attempt has its span; outside layers that change the address. Whoever sends a
//! request again says so in its extensions, and the count is on the span as `http.request.resend_count`:
//!
//! ```
//! use throughline_http::client::ResendCount;
//!
//! fn mark_as_resent<B>(request: &mut http::Request<B>) {
//!     let sent = request.extensions().get::<ResendCount>().copied().unwrap_or_default();
//!     request.extensions_mut().insert(sent.next());
//! }
//! # let mut request = http::Request::new(());
//! # mark_as_resent(&mut request);
//! # assert_eq!(request.extensions().get(), Some(&ResendCount(1)));
//! ```
//!
//! ```
//! use tower::{ServiceBuilder, ServiceExt, service_fn};
//! # use http::{Request, Response};
//! # type Body = http_body_util::Empty<bytes::Bytes>;
//! # async fn send(_: Request<Body>) -> Result<Response<Body>, std::io::Error> { Ok(Response::default()) }
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let http = ServiceBuilder::new().layer(throughline_http::client()).service(service_fn(send));
//!
//! let request = Request::get("http://inventory.internal/items/7").body(Body::default())?;
//! let response = http.oneshot(request).await?;
//! # let _ = response; Ok(()) }
//! ```
//!
//! For hyper it stands around the client of `hyper-util`, over HTTP/1 and HTTP/2:
//!
//! ```
//! use axum::body::Body;
//! use hyper_util::{client::legacy::Client, rt::TokioExecutor};
//! use tower::{Layer, ServiceExt};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let hyper = Client::builder(TokioExecutor::new()).build_http();
//! let http = throughline_http::client().layer(hyper);
//!
//! let request = http::Request::get("http://inventory.internal/items/7").body(Body::empty())?;
//! let response = http.oneshot(request).await?;
//! # let _ = response; Ok(()) }
//! ```
//!
//! # Who is told
//!
//! Every host, until [`TraceLayer::propagation`] has a list: trace ids and baggage are nothing for strangers. A host that
//! is not on it gets none of our headers, not even those that were on the request already; the attempt has its span all
//! the same, and is [counted](crate::Counters::hosts_not_told).
//!
//! ```
//! use throughline_http::client::Hosts;
//! # fn example() -> Result<(), throughline_http::client::HostPatternError> {
//! let layer = throughline_http::client().propagation(Hosts::new(["*.shop.internal", "127.0.0.1"])?);
//! # let _ = layer; Ok(()) }
//! # example().unwrap();
//! ```
//!
//! # Recorded on request
//!
//! Sizes ([`TraceLayer::body_sizes`]), time to the first byte ([`TraceLayer::time_to_first_byte`]), and headers by name
//! ([`TraceLayer::request_headers`], [`TraceLayer::response_headers`]), by the rules of [the
//! server](mod@crate::server#headers-on-the-span).
//!
//! # How an attempt ends
//!
//! The span includes the response's body: it ends with the last frame, or when the response or its body is dropped before
//! that.
//!
//! | `throughline.http.end` | when | status of the span | `error.type` |
//! |---|---|---|---|
//! | `complete` | the last byte of the body came | error for 4xx and 5xx, else unset | the code for 4xx and 5xx |
//! | `cancelled` | the caller dropped the future or the body before that | as above | as above |
//! | `error` | the client or the body failed | error | the error's type, never its message |
//! | `panic` | the client or the body panicked; the panic goes on | error | `panic` |
//!
//! The gauge `http.client.active_requests` goes down and `http.client.request.duration` is recorded on every one of
//! these, once. Credentials and known secrets never get into `url.full`.
//!
//! Without a span, because a filter turned it off, the current context goes out in its place: a log filter breaks nobody's
//! trace.

mod attempt;
mod body;
mod future;
mod layer;
mod propagation;
mod service;
mod target;

pub(crate) use attempt::Attempt;
#[cfg(feature = "reqwest")]
pub(crate) use layer::Settings;
pub(crate) use target::Target;

pub use body::ResponseBody;
pub use future::ResponseFuture;
pub use layer::{TraceLayer, client};
pub use propagation::{EveryHost, HostPatternError, Hosts, Propagation};
pub use service::Trace;
pub use throughline_core::ResendCount;
