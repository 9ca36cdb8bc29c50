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
//! these, once. An upgraded connection ends its span with the response that upgrades it.
//!
//! # What the response gets
//!
//! The correlation id, under the name that the propagator has for it. It replaces what the handler set, so that the
//! caller always gets the id that is on the log lines.

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
