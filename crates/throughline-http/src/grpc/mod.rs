//! gRPC calls, in both directions, for tonic.
//!
//! [`server()`] and [`client()`] are to gRPC what [`crate::server()`] and [`crate::client()`] are to HTTP: tower layers
//! that read and write the same fields (in the call's metadata), give each call one span, and end it when the call is
//! over, which for a stream is after its last message. Use either these or the HTTP layers on one connection, not both.
//!
//! ```no_run
//! use throughline_http::grpc;
//! use tonic::transport::{Channel, Server};
//! use tower::ServiceBuilder;
//!
//! # async fn example<S>(service: S, address: std::net::SocketAddr) -> Result<(), tonic::transport::Error>
//! # where
//! #     S: tower::Service<http::Request<tonic::body::Body>, Error = std::convert::Infallible>
//! #         + tonic::server::NamedService + Clone + Send + Sync + 'static,
//! #     S: tower::Service<http::Request<tonic::body::Body>, Response = http::Response<tonic::body::Body>>,
//! #     S::Future: Send + 'static,
//! # {
//! // What comes in.
//! Server::builder().layer(grpc::server()).add_service(service).serve(address).await?;
//!
//! // What goes out: give the generated client this in place of the channel.
//! let channel = Channel::from_static("http://stock.internal:50051").connect().await?;
//! let traced = ServiceBuilder::new().layer(grpc::client().server("stock.internal", 50051)).service(channel);
//! # let _ = traced; Ok(()) }
//! ```
//!
//! # One call
//!
//! ```text
//! call ──► TracedServer, TracedClient   metadata in, or out · open the span, named package.Service/Method
//!           │
//!           ├─ the handler, or the channel: runs, polls and drops inside the span
//!           │
//!          ResponseFuture     an answer without messages has its status here
//!           │
//!          ResponseBody       every message, then the trailers: the status · duration · the span closes
//! ```
//!
//! The status is read from the trailers, where gRPC puts it, or from the headers of an answer that has nothing else. The
//! trailers end a call in both directions: what a client still wanted to stream after them is never asked for.
//!
//! # How a call ends
//!
//! | `throughline.rpc.end` | when | `rpc.response.status_code` |
//! |---|---|---|
//! | `complete` | the trailers passed by, or the body ended without them | that of `grpc-status`; without one, what the HTTP status stands for |
//! | `client_gone` | server: the call was dropped before | `CANCELLED` |
//! | `cancelled` | client: the caller dropped the call before | `CANCELLED` |
//! | `error` | the channel, the service or the body failed | the code of the `tonic::Status`, if it is one |
//! | `panic` | the handler panicked; the panic goes on | none: none was sent |
//!
//! A server's span fails on UNKNOWN, DEADLINE_EXCEEDED, UNIMPLEMENTED, INTERNAL, UNAVAILABLE and DATA_LOSS only; a client's on
//! everything but OK, a call that its own caller gave up excepted (semantic conventions 1.44.0, gRPC). `error.type` is
//! the name of the code, or the type of an error that has none. The duration is recorded once, with the same names.
//!
//! # Methods that do not exist
//!
//! Whoever calls a server can make up a method. One that is not of the form `package.Service/Method`, is longer than 255
//! bytes, or is answered with UNIMPLEMENTED becomes `rpc.method` `_OTHER`, with what was called in `rpc.method_original`,
//! so that no stranger fills the list of operations or the labels of the metrics.

mod body;
mod call;
mod client;
mod future;
mod method;
mod server;
mod status;

pub use body::ResponseBody;
pub use client::{ClientLayer, TracedClient, client};
pub use future::ResponseFuture;
pub use server::{ServerLayer, TracedServer, server};

/// The value of `rpc.system.name`.
const SYSTEM: &str = "grpc";
