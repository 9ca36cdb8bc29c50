//! HTTP hops in both directions: one line for what comes in, one line for what goes out.
//!
//! ```text
//!            ┌────────────────────────── your service ──────────────────────────┐
//! caller ──► │ server()  POST /orders ──► handler ──► client()  GET ────────────│──► next service
//!            │  span from the first byte               a span an attempt        │
//!            │  to the last of the body                ids in its headers       │
//!            └──────────────────────────────────────────────────────────────────┘
//! ```
//!
//! [`server()`] is a tower layer for axum and for any other tower service:
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
//! [`client()`] is a tower layer for any tower client; `reqwest` gets a client of its own, from its own builder:
//!
//! ```
//! # #[cfg(feature = "reqwest")]
//! # async fn example() -> Result<(), reqwest::Error> {
//! let http = throughline_http::reqwest::traced(reqwest::Client::builder())?;
//!
//! let users = http.get("http://users.internal/users/7").send().await?.text().await?;
//! # let _ = users; Ok(()) }
//! ```
//!
//! Both take propagation, sampling and metrics from the `tracing` subscriber that they run under
//! ([`Pipeline::current`](throughline_core::Pipeline::current)), so nothing has to be handed around. Without one they
//! still pass the caller's trace and correlation id on. A request is never failed or delayed by them.
//!
//! # Features
//!
//! | feature | brings |
//! |---|---|
//! | `axum` | the matched route and the peer's address from axum |
//! | `reqwest` | [`reqwest`](mod@crate::reqwest): a traced client |
//! | `http2` | with `reqwest`: HTTP/2, and refused streams are sent again as attempts of their own |
//! | `tonic` | `grpc`: the same for gRPC, in both directions |
//!
//! Every feature adds; none changes what is there without it. HTTP/2 on the server's side and under
//! [`client()`] needs none.
//!
//! # Limits
//!
//! | what | limit |
//! |---|---|
//! | address, path, query or `User-Agent` on a span | 2,048 bytes each, the rest is cut |
//! | an unknown method | 64 bytes, the rest is cut |
//! | a host name | 255 bytes, a longer one is left out |
//! | redirects that are followed | 10, see [`reqwest`](mod@crate::reqwest) |
//! | resends of a request that was refused unseen | 2 |
//! | headers that a list may name | 32; of each 8 values, 1,024 bytes of each value |
//! | proxies in a row that are followed | 32 |
//! | `progress` events of an event stream | 20, at powers of ten |
//! | known methods | 64, of 64 bytes |
//!
//! What was left out is in the [`Counters`] of each layer.

// The two sides.
pub mod client;
pub mod server;

// Clients of others.
#[cfg(feature = "reqwest")]
pub mod reqwest;

// What runs on top.
#[cfg(feature = "tonic")]
pub mod grpc;

// What the caller is told.
mod problem;

// What both sides need.
mod attributes;
mod captured;
mod carrier;
mod counters;
mod edge;
mod flight;
mod inside;
mod method;
mod watched;

pub use carrier::HeaderCarrier;
pub use client::client;
pub use counters::Counters;
pub use edge::{Edge, Incoming};
pub use problem::Problem;
pub use server::server;
