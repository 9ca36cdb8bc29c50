//! What HTTP hops record, pass on and answer.

#![cfg(all(feature = "axum", feature = "reqwest"))]
#![expect(clippy::unwrap_used, reason = "helpers of tests are tests, too")]

/// A recorder of spans and metrics for one test.
mod capture;

/// Requests that come in: how they end, what they are called, what they carry.
mod server;

/// Requests that go out through a tower client.
mod client;

/// Requests that go out through reqwest, over real connections.
mod reqwest;
