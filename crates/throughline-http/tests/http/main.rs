//! What HTTP hops record, pass on and answer.

#![cfg(all(feature = "axum", feature = "reqwest"))]
#![expect(clippy::unwrap_used, reason = "helpers of tests are tests, too")]

/// A recorder of spans and metrics for one test.
mod capture;

/// A real server for one test.
mod serve;

/// Requests that come in: how they end, what they are called, what they carry.
mod server;

/// Whom the server believes.
mod edge;

/// Requests that are skipped.
mod skip;

/// Where a request came from, behind proxies.
mod proxies;

/// Headers on the span, and which of them never.
mod headers;

/// Sizes, first byte, methods, server-timing: what is recorded on request.
mod on_request;

/// Event streams and websockets.
mod streaming;

/// Error bodies with ids.
mod problem;

/// Requests that go out through a tower client.
mod client;

/// Which hosts are told what, and which are not.
mod hosts;

/// Requests that go out through reqwest, over real connections.
mod reqwest;

/// HTTP/2, and hyper's own client, over real connections.
mod hyper;
