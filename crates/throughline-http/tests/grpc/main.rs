//! What gRPC calls record and pass on, over real connections.

#![cfg(feature = "tonic")]
#![expect(clippy::unwrap_used, reason = "helpers of tests are tests, too")]

/// A recorder of spans and metrics for one test.
#[path = "../http/capture.rs"]
#[expect(dead_code, reason = "shared with the tests of HTTP, which ask for more")]
mod capture;

/// A service with one method of each kind.
mod stock;

/// Names, statuses, metadata, ends.
mod calls;
