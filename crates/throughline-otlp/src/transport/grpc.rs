//! OTLP over gRPC: one unary call, whose message is encoded and compressed once for all attempts.

use std::{error::Error, future::poll_fn, iter, sync::Arc};

use bytes::{BufMut, Bytes, BytesMut};
use http::{
    HeaderMap, HeaderValue, Request, StatusCode, Uri,
    header::{CONTENT_TYPE, TE},
};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use tonic::{
    Code, Status,
    body::Body,
    transport::{Channel, Endpoint as Connection},
};
use tower::BoxError;
use tower_service::Service;

use super::{
    Answer, compress,
    connect::{self, Version},
    pieces::Pieces,
    response,
};
use crate::{
    settings::{Compression, Endpoint, KEEPALIVE, RESPONSE_BYTES_MAX, USER_AGENT},
    signal_kind::SignalKind,
};

/// What stands before a message: whether it is compressed, and its length.
const PREFIX_LEN: usize = 5;

#[derive(Debug)]
pub(crate) struct Grpc {
    channel: Channel,
    path: Uri,
    headers: HeaderMap,
    endpoint: Endpoint,
}

impl Grpc {
    pub(super) fn new(kind: SignalKind, endpoint: &Endpoint) -> Result<Self, String> {
        let mut headers = super::headers(endpoint)?;
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
        headers.insert(TE, HeaderValue::from_static("trailers"));
        if let Some(encoding) = endpoint.compression.encoding() {
            headers.insert("grpc-encoding", HeaderValue::from_static(encoding));
        }
        let path = Uri::from_static(kind.grpc_path());
        Ok(Self { channel: channel(endpoint)?, path, headers, endpoint: endpoint.clone() })
    }

    /// The message with its prefix.
    pub(super) fn prepare(&self, request: &Arc<[Bytes]>) -> Result<Pieces, String> {
        let message = compress::compressed(request, self.endpoint.compression)?;
        let len = u32::try_from(message.len()).map_err(|_| "longer than gRPC allows".to_owned())?;
        let mut prefix = BytesMut::with_capacity(PREFIX_LEN);
        prefix.put_u8(u8::from(self.endpoint.compression != Compression::None));
        prefix.put_u32(len);
        let framed: Arc<[Bytes]> =
            iter::once(prefix.freeze()).chain(message.left().iter().cloned()).collect();
        Ok(framed.into())
    }

    pub(super) async fn send(&mut self, message: &Pieces) -> Answer {
        let limit = self.endpoint.timeout;
        match tokio::time::timeout(limit, self.call(message)).await {
            Ok(Ok(answer) | Err(answer)) => answer,
            Err(_) => Answer::Later { after: None, why: format!("no answer within {limit:?}") },
        }
    }

    async fn call(&mut self, message: &Pieces) -> Result<Answer, Answer> {
        let broken = |error: &(dyn Error + 'static)| Answer::Later {
            after: None,
            why: connect::problem(error, &self.endpoint),
        };
        poll_fn(|cx| self.channel.poll_ready(cx)).await.map_err(|error| broken(&error))?;
        let mut request = Request::new(Body::new(message.clone()));
        *request.method_mut() = http::Method::POST;
        *request.uri_mut() = self.path.clone();
        *request.headers_mut() = self.headers.clone();
        let response = self.channel.call(request).await.map_err(|error| broken(&error))?;
        let (head, body) = response.into_parts();
        if let Some(status) = Status::from_header_map(&head.headers) {
            return Ok(judged(&status, &[]));
        }
        if head.status != StatusCode::OK {
            return Ok(super::refused(head.status, None));
        }
        let body = Limited::new(body, RESPONSE_BYTES_MAX).collect().await.map_err(|error| {
            if error.is::<LengthLimitError>() {
                // The Collector has taken the records. Sent again, they would arrive twice, and so would that answer.
                Answer::Never { why: super::TOO_LONG.to_owned() }
            } else {
                broken(&*error)
            }
        })?;
        let Some(status) = body.trailers().and_then(Status::from_header_map) else {
            return Ok(Answer::Never { why: "an answer without a status".to_owned() });
        };
        Ok(judged(&status, &body.to_bytes()))
    }
}

/// A channel that connects when it is first used, and again when it has lost its connection.
///
/// tonic is told `http` even for TLS: built with TLS of its own, it would insist on using that.
fn channel(endpoint: &Endpoint) -> Result<Channel, String> {
    let uri: Uri =
        endpoint.url.parse().map_err(|error| format!("{} is no address: {error}", endpoint.url))?;
    let connection = Connection::from(with_scheme(uri.clone(), "http")?)
        .origin(uri)
        .user_agent(USER_AGENT)
        .map_err(|error| error.to_string())?
        .connect_timeout(endpoint.timeout)
        .http2_keep_alive_interval(KEEPALIVE)
        .keep_alive_timeout(KEEPALIVE);
    let mut connector = connect::connector(endpoint, Version::Http2)?;
    let scheme = if endpoint.is_https() { "https" } else { "http" };
    let connector = tower::service_fn(move |uri: Uri| {
        let connecting = with_scheme(uri, scheme).map(|uri| connector.call(uri));
        async move { connecting.map_err(boxed)?.await.map_err(boxed) }
    });
    Ok(Channel::new(connector, connection))
}

/// Any error, boxed once: which it is depends on whether TLS is built in.
fn boxed(error: impl Into<BoxError>) -> BoxError {
    error.into()
}

fn with_scheme(uri: Uri, scheme: &str) -> Result<Uri, String> {
    let mut parts = uri.into_parts();
    parts.scheme = scheme.parse().ok();
    Uri::from_parts(parts).map_err(|error| error.to_string())
}

/// Which failures may pass, by the specification's list.
fn judged(status: &Status, body: &[u8]) -> Answer {
    let after = response::retry_delay(status.details());
    let why = format!("{:?}: {}", status.code(), status.message());
    match status.code() {
        Code::Ok => match body.split_at_checked(PREFIX_LEN) {
            Some(([0, ..], message)) => response::read(message),
            _ => Answer::Never { why: "an answer that is no message".to_owned() },
        },
        Code::Cancelled
        | Code::DeadlineExceeded
        | Code::Aborted
        | Code::OutOfRange
        | Code::Unavailable
        | Code::DataLoss => Answer::Later { after, why },
        Code::ResourceExhausted if after.is_some() => Answer::Later { after, why },
        _ => Answer::Never { why },
    }
}
