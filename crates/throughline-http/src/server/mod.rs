//! Requests that come in.
//!
//! [`server()`](crate::server()) is a tower layer for any service of `http::Request` and `http::Response`. It reads what
//! the caller sent, opens a span, runs the handler inside it, and closes the span when the last byte of the response's
//! body has left.
//!
//! ```text
//! request ──► Trace::call      extract headers · open the span below the caller's · gauge +1
//!              │
//!              ├─ handler       runs, polls and drops inside the span
//!              │
//!             ResponseFuture   status · correlation id onto the response
//!              │
//!             ResponseBody     last frame, error or disappearance: how it ended · duration · gauge −1 · span closes
//! ```
//!
//! # Where it stands
//!
//! On axum, inside the router (`Router::layer`), where the matched route is known when the span is born. Around the
//! router the span is named by the method alone: a raw path is never used in its place. Layers that answer on their own
//! (time limits, authentication) belong inside, so that their answers are traced.
//!
//! ```
//! # #[cfg(feature = "axum")] {
//! use axum::{Router, routing::get};
//!
//! let app: Router = Router::new()
//!     .route("/orders/{id}", get(|| async { "an order" }))
//!     .layer(throughline_http::server());
//! # }
//! ```
//!
//! For another framework, say where its route is:
//!
//! ```
//! use throughline_core::EdgePolicy;
//! use throughline_http::server::Route;
//!
//! #[derive(Clone)]
//! struct MyRoute(&'static str);
//!
//! let layer = throughline_http::server()
//!     .route_name(|request: &http::request::Parts| request.extensions.get::<MyRoute>().map(|route| Route::from(route.0)))
//!     .edge(EdgePolicy::ignore());
//! # let _ = layer;
//! ```
//!
//! # Whom to believe
//!
//! The layer trusts its callers: their trace goes on. At a public entrance say [`public`](TraceLayer::public): strangers
//! then get a new trace that links to theirs, and their baggage stays outside. Between the two, [`TraceLayer::edge`] takes
//! any [`EdgePolicy`](throughline_core::EdgePolicy), or a closure that chooses one by peer, header or route.
//!
//! # How a request ends
//!
//! | `throughline.http.end` | when | status of the span | `error.type` |
//! |---|---|---|---|
//! | `complete` | the last byte of the body left | error for 5xx, else unset | the code for 5xx |
//! | `client_gone` | the future or the body was dropped before that | error | `client_gone`, or the code for 5xx |
//! | `error` | the service or the body failed | error | the error's type |
//! | `panic` | the handler or the body panicked; the panic goes on | error | `panic` |
//!
//! The gauge `http.server.active_requests` goes down and `http.server.request.duration` is recorded on every one of
//! these, once. An upgraded connection ends its span with the response that upgrades it; what follows on it is a
//! [`Session`]. An event stream ends as its [`Streaming`] mode says, and a client that leaves one makes no error.
//!
//! # What the response gets
//!
//! The correlation id, under the name that the propagator has for it. It replaces what the handler set, so that the
//! caller always gets the id that is on the log lines. On request ([`TraceLayer::server_timing`]) the ids of the span,
//! too, as a `server-timing` beside those that are there. An error body that names both is a
//! [`Problem`](crate::Problem).
//!
//! # What is skipped
//!
//! Health checks and their like, by path or by closure ([`TraceLayer::skip`]): no span, no metrics. Their context goes
//! through all the same, so that log lines and further requests of their handlers stay in the caller's trace.
//!
//! # Behind proxies
//!
//! `client.address`, `url.scheme`, `server.address` and `server.port` are those of the connection, until a list of
//! [`TrustedProxies`] says whose `forwarded` (RFC 7239) or, where there is none, `x-forwarded-for`, `-proto` and `-host`
//! to believe. Of a chain the right-most address counts that is not a trusted proxy's: what stands left of it anybody may
//! have written. `network.peer.address` is always the other end of the connection.
//!
//! ```text
//! 203.0.113.9 ──► 10.0.0.9 ──► 10.0.0.1 ──► here       trusted: 10.0.0.0/8
//! x-forwarded-for: 1.2.3.4, 203.0.113.9, 10.0.0.9      client.address = 203.0.113.9
//! ```
//!
//! What cannot be read ends the walk, keeps what was established before it, and is
//! [counted](crate::Counters::forwarded_invalid).
//!
//! # Headers on the span
//!
//! None, until a list names them ([`TraceLayer::request_headers`], [`TraceLayer::response_headers`]); then each becomes an
//! array of all its values. A header that holds credentials by its name (`authorization`, `cookie`, `set-cookie`,
//! `proxy-authorization`, `x-api-key`, whatever has `token`, `secret` or `password` in it) or that is
//! [marked as sensitive](http::HeaderValue::set_sensitive) shows `REDACTED` even so, and of the addresses in `referer`
//! and `location` the secrets are taken out.
//!
//! # Recorded on request
//!
//! | setter | attribute |
//! |---|---|
//! | [`body_sizes`](TraceLayer::body_sizes) | `http.request.body.size`, `http.response.body.size` |
//! | [`time_to_first_byte`](TraceLayer::time_to_first_byte) | `throughline.http.time_to_first_byte_ms` |
//! | [`request_headers`](TraceLayer::request_headers), [`response_headers`](TraceLayer::response_headers) | `http.request.header.*`, `http.response.header.*` |
//!
//! Always there on an event stream: `throughline.http.messages`, the number of its chunks.

mod arrival;
mod body;
mod exchange;
mod forwarded;
mod future;
mod layer;
mod proxies;
mod route;
mod server_timing;
mod service;
mod session;
mod skip;
mod streaming;

pub use body::ResponseBody;
pub use future::ResponseFuture;
pub use layer::{TraceLayer, server};
pub use proxies::{NetworkError, TrustedProxies};
pub use route::{DefaultRouteName, Route, RouteName};
pub use service::Trace;
pub use session::{Messages, Session};
pub use skip::{Skip, SkipPaths};
pub use streaming::{PROGRESS_EVENTS_MAX, Streaming};
