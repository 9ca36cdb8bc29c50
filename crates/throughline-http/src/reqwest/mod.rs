//! A `reqwest` client whose every attempt has a span, and whose every hop passes our propagation.
//!
//! ```
//! # async fn example() -> Result<(), reqwest::Error> {
//! use std::time::Duration;
//!
//! let settings = reqwest::Client::builder().timeout(Duration::from_secs(5));
//! let http = throughline_http::reqwest::traced(settings)?;
//!
//! let answer = http
//!     .post("http://inventory.internal/reservations")
//!     .json(&["sku-1", "sku-2"])
//!     .send()
//!     .await?
//!     .error_for_status()?;
//! # let _ = answer; Ok(()) }
//! ```
//!
//! Requests, responses and errors are `reqwest`'s own. [`Client`] is also a tower service of `reqwest::Request`, and of
//! `http::Request`, whose extensions carry the [`ResendCount`](crate::client::ResendCount) of a layer that retries. What
//! [`client()`](crate::client()) can be told, [`Client::tracing`] takes. A library that accepts nothing but a `reqwest::Client` cannot be traced from outside.
//!
//! # What differs from a plain client
//!
//! `reqwest` follows redirects and resends refused HTTP/2 streams inside one call, out of sight. [`traced`] switches both
//! off and does both itself, by the same rules:
//!
//! - at most 10 ([`Client::redirects_max`]), then an error for which `is_redirect()` is true;
//! - 301 and 302 turn POST into GET, 303 turns everything but HEAD into GET; 307 and 308 send the same again, unless the
//!   body is a stream, which cannot be sent twice: then the redirect itself is the answer;
//! - credentials and cookies stay with the host they were meant for. Where they came from
//!   `ClientBuilder::default_headers`, an empty header takes their place on the other host, because `reqwest` would
//!   put them back;
//! - whether the other host is told trace and baggage is decided anew for each attempt ([`Client::tracing`]);
//! - each attempt is a span, with `http.request.resend_count` from the second on;
//! - a stream that an HTTP/2 peer refused unseen (`REFUSED_STREAM`, a graceful `GOAWAY`) is sent again at most twice,
//!   unless its body is a stream; that takes the feature `http2`, of this crate and not just of `reqwest`;
//! - a redirect policy set on the builder is replaced, and no `Referer` is sent;
//! - a time limit of the request is for all attempts together, one of the builder is for each.
//!
//! HTTPS needs one of `reqwest`'s TLS features, switched on in your own manifest.

mod client;
mod nack;
mod redirect;
mod request;
mod service;

pub use client::{Client, traced};
pub use request::RequestBuilder;
