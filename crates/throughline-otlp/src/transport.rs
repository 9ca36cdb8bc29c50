//! The two ways to a Collector, with one answer.

#[cfg(feature = "grpc")]
mod grpc;
#[cfg(feature = "http")]
mod http;
mod response;

use std::{sync::Arc, time::Duration};

use bytes::Bytes;

#[cfg(feature = "http")]
pub(crate) use http::client as http_client;

use crate::{
    queue::RecordKind,
    settings::{Endpoint, Protocol},
};

/// What became of a request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// The Collector has it, all but `rejected` records.
    Delivered { rejected: u64, message: String },
    /// It may work later; the Collector may have said when.
    Later { after: Option<Duration>, why: String },
    /// It will never work.
    Never { why: String },
}

/// A connection to the Collector, made when it is first needed and again when it is lost.
#[derive(Debug)]
pub(crate) enum Transport {
    #[cfg(feature = "grpc")]
    Grpc(Box<grpc::Grpc>),
    #[cfg(feature = "http")]
    Http(Box<http::Http>),
}

impl Transport {
    /// Must be called on the export thread's runtime.
    pub(crate) fn new(endpoint: &Endpoint, kind: RecordKind) -> Result<Self, String> {
        match endpoint.protocol {
            #[cfg(feature = "grpc")]
            Protocol::Grpc => Ok(Self::Grpc(Box::new(grpc::Grpc::new(endpoint, kind.grpc_method())?))),
            #[cfg(feature = "http")]
            Protocol::HttpProtobuf => Ok(Self::Http(Box::new(http::Http::new(endpoint)?))),
            #[cfg(not(all(feature = "grpc", feature = "http")))]
            other => Err(format!("the transport {other} is not built in")),
        }
    }

    /// Sends one request, given in pieces, and waits for its answer, for as long as the endpoint's time limit.
    pub(crate) async fn send(&mut self, body: Arc<[Bytes]>) -> Answer {
        #[cfg(not(any(feature = "grpc", feature = "http")))]
        match *self {}
        #[cfg(any(feature = "grpc", feature = "http"))]
        match self {
            #[cfg(feature = "grpc")]
            Self::Grpc(grpc) => grpc.send(body).await,
            #[cfg(feature = "http")]
            Self::Http(http) => http.send(body).await,
        }
    }
}
