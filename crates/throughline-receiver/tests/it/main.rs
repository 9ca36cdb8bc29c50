//! The receiver, seen by real clients: one module for each promise.

#![expect(clippy::unwrap_used, reason = "where a helper can't go on, its test has failed")]

mod client; // what the others send with: tonic and reqwest

mod behaviour; // refuse, hang, slow, partial, disconnect, over both protocols
mod grpc; // OTLP/gRPC: three signals, gzip, limits, malformed messages
mod http; // OTLP/HTTP: three signals, two content types, gzip, limits, malformed bodies
mod json; // OTLP-JSON: the official examples in, lines out, files
mod lifecycle; // ports, stop, restart, runtimes, and that it makes no telemetry
mod store; // limits of what is kept, waiting, traces, clear
