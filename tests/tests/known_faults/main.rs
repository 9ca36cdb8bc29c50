//! What the stock Rust stack and its peers get wrong, one fault a test: what we do instead.
//!
//! Reads as a list: `cargo test -p tests --test known_faults -- --list`. Where the stock crate is in the tree for the
//! benches, the same scenario is shown failing on it in `benches/tests/known_faults_of_others.rs`.

#![expect(clippy::unwrap_used, reason = "helpers of tests are tests, too")]

/// An app, requests and headers for these tests.
mod scene;

/// What travels, and how it is read.
mod propagation;

/// Requests that come in.
mod http_server;

/// Requests that go out.
mod http_client;

/// Calls over gRPC.
mod grpc;

/// Messages.
mod messages;

/// Log lines.
mod logs;

/// Spans as they live.
mod spans;

/// The way out.
mod export;

/// What the environment says.
mod configuration;

/// What is recorded at all.
mod sampling;

/// What must not be told.
mod secrets;
