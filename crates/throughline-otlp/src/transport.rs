//! The ways out of the process, with one answer.

#[cfg(feature = "grpc")]
mod grpc;
#[cfg(feature = "http")]
mod http;
#[cfg(feature = "json")]
mod lines;

#[cfg(any(feature = "grpc", feature = "http"))]
mod compress;
#[cfg(any(feature = "grpc", feature = "http"))]
mod connect;
mod pieces;
#[cfg(any(feature = "grpc", feature = "http"))]
mod response;

use std::{sync::Arc, time::Duration};

#[cfg(any(feature = "grpc", feature = "http"))]
use ::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use bytes::Bytes;

use self::pieces::Pieces;
use crate::{
    InitError,
    plan::Way,
    settings::{Endpoint, Protocol},
    signal_kind::SignalKind,
};

/// What became of a request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// It has arrived, all but `rejected` records.
    Delivered { rejected: u64, message: String },
    /// It may work later; the Collector may have said when.
    Later { after: Option<Duration>, why: String },
    /// It will never work.
    Never { why: String },
}

/// Everywhere that a signal goes: the first place decides what became of a batch, the others get a copy.
#[derive(Debug)]
pub(crate) struct Transports(Vec<Transport>);

/// A request as each place gets it: made once, however often it is tried.
#[derive(Debug)]
pub(crate) struct Prepared(Vec<Pieces>);

impl Transports {
    /// Must be called on the export thread's runtime.
    pub(crate) fn new(kind: SignalKind, ways: &[Way]) -> Result<Self, InitError> {
        ways.iter().map(|way| Transport::new(kind, way)).collect::<Result<_, _>>().map(Self)
    }

    /// Encodes and compresses a request that is given in pieces.
    pub(crate) fn prepare(&self, request: &Arc<[Bytes]>) -> Result<Prepared, String> {
        self.0.iter().map(|transport| transport.prepare(request)).collect::<Result<_, _>>().map(Prepared)
    }

    /// Sends a request where it is to arrive, and waits for its answer, for as long as the endpoint's time limit.
    pub(crate) async fn send(&mut self, request: &Prepared) -> Answer {
        match (self.0.first_mut(), request.0.first()) {
            (Some(transport), Some(request)) => transport.send(request).await,
            _ => Answer::Never { why: "this signal is exported nowhere".to_owned() },
        }
    }

    /// Sends the copies of a request, once; what is wrong with those that did not arrive.
    pub(crate) async fn copy(&mut self, request: &Prepared) -> Vec<String> {
        let mut problems = Vec::new();
        for (transport, request) in self.0.iter_mut().zip(&request.0).skip(1) {
            match transport.send(request).await {
                Answer::Delivered { .. } => {}
                Answer::Later { why, .. } | Answer::Never { why } => problems.push(why),
            }
        }
        problems
    }
}

/// One way out. A connection is made when it is first needed, and again when it is lost.
#[derive(Debug)]
enum Transport {
    #[cfg(feature = "grpc")]
    Grpc(Box<grpc::Grpc>),
    #[cfg(feature = "http")]
    Http(Box<http::Http>),
    #[cfg(feature = "json")]
    Lines(lines::Lines),
}

impl Transport {
    fn new(kind: SignalKind, way: &Way) -> Result<Self, InitError> {
        match way {
            Way::Otlp(endpoint) => Self::otlp(kind, endpoint)
                .map_err(|problem| InitError::new("endpoint", &endpoint.url, problem)),
            #[cfg(feature = "json")]
            Way::Console => Ok(Self::Lines(lines::Lines::stdout(kind))),
            #[cfg(feature = "json")]
            Way::File(path) => lines::Lines::file(kind, path)
                .map(Self::Lines)
                .map_err(|error| InitError::new("file", path.to_string_lossy(), error.to_string())),
            #[cfg(not(feature = "json"))]
            other => {
                Err(InitError::new("exporter", format!("{other:?}"), crate::features::missing("`json`")))
            }
        }
    }

    fn otlp(kind: SignalKind, endpoint: &Endpoint) -> Result<Self, String> {
        match endpoint.protocol {
            #[cfg(feature = "grpc")]
            Protocol::Grpc => Ok(Self::Grpc(Box::new(grpc::Grpc::new(kind, endpoint)?))),
            #[cfg(feature = "http")]
            Protocol::HttpProtobuf | Protocol::HttpJson => {
                Ok(Self::Http(Box::new(http::Http::new(kind, endpoint)?)))
            }
            #[cfg(not(all(feature = "grpc", feature = "http")))]
            other => Err(crate::features::missing(other.feature())),
        }
    }

    fn prepare(&self, request: &Arc<[Bytes]>) -> Result<Pieces, String> {
        #[cfg(not(any(feature = "grpc", feature = "http", feature = "json")))]
        match *self {}
        #[cfg(any(feature = "grpc", feature = "http", feature = "json"))]
        match self {
            #[cfg(feature = "grpc")]
            Self::Grpc(grpc) => grpc.prepare(request),
            #[cfg(feature = "http")]
            Self::Http(http) => http.prepare(request),
            #[cfg(feature = "json")]
            Self::Lines(lines) => lines.prepare(request),
        }
    }

    async fn send(&mut self, request: &Pieces) -> Answer {
        #[cfg(not(any(feature = "grpc", feature = "http", feature = "json")))]
        match *self {}
        #[cfg(any(feature = "grpc", feature = "http", feature = "json"))]
        match self {
            #[cfg(feature = "grpc")]
            Self::Grpc(grpc) => grpc.send(request).await,
            #[cfg(feature = "http")]
            Self::Http(http) => http.send(request).await,
            #[cfg(feature = "json")]
            Self::Lines(lines) => lines.send(request).await,
        }
    }
}

/// A request as one line of OTLP-JSON.
#[cfg(feature = "json")]
fn json(request: &[Bytes], kind: SignalKind) -> Result<String, String> {
    throughline_otlp_json::from_protobuf(&request.concat(), kind.request())
        .ok_or_else(|| "a request that is no OTLP".to_owned())
}

/// An answer of more than this is not read: nobody knows what it would have said.
#[cfg(any(feature = "grpc", feature = "http"))]
const TOO_LONG: &str = "an answer longer than the limit";

/// The headers of every request, those with credentials hidden from logs.
#[cfg(any(feature = "grpc", feature = "http"))]
fn headers(endpoint: &Endpoint) -> Result<HeaderMap, String> {
    let mut headers = HeaderMap::new();
    for (name, value) in &endpoint.headers {
        let key: HeaderName = name.parse().map_err(|_| format!("{name:?} is no header name"))?;
        let mut value = HeaderValue::from_str(value)
            .map_err(|_| format!("the value of header {name:?} cannot be sent"))?;
        value.set_sensitive(true);
        headers.insert(key, value);
    }
    Ok(headers)
}

/// Which statuses of HTTP may pass, by the specification's list.
#[cfg(any(feature = "grpc", feature = "http"))]
fn refused(status: StatusCode, after: Option<Duration>) -> Answer {
    let why = format!("HTTP status {status}");
    match status.as_u16() {
        429 | 502 | 503 | 504 => Answer::Later { after, why },
        _ => Answer::Never { why },
    }
}
