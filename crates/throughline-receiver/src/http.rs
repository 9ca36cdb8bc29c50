//! OTLP/HTTP.

use std::{io::Read, sync::Arc};

use axum::{
    Router,
    body::Body,
    extract::{Extension, Request},
    response::Response,
    routing::post,
};
use bytes::{Bytes, BytesMut};
use flate2::read::MultiGzDecoder;
use http::{
    HeaderMap, HeaderValue, StatusCode,
    header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, RETRY_AFTER},
};
use http_body_util::BodyExt as _;

use crate::{
    Compression, Protocol, Signal,
    answer::Answer,
    intake::{Connection, Intake},
    request::{Arrival, headers_as_text},
    rpc_status::Failure,
};

const PROTOBUF: &str = "application/x-protobuf";
const JSON: &str = "application/json";
pub(crate) const HTML: &str = "text/html; charset=utf-8";

/// So many times the limit is read and thrown away of a body that is too large, because most clients look for the answer only
/// when they have sent everything.
const DRAIN_FACTOR: usize = 8;

/// A route for each signal.
pub(crate) fn router(intake: &Arc<Intake>) -> Router {
    Signal::ALL.into_iter().fold(Router::new(), |router, signal| {
        let intake = Arc::clone(intake);
        let handler = move |Extension(connection): Extension<Connection>, request: Request| async move {
            export(&intake, signal, &connection, request).await
        };
        router.route(signal.http_path(), post(handler))
    })
}

async fn export(intake: &Intake, signal: Signal, connection: &Connection, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let protocol = protocol(&head.headers);
    let compression = compression(&head.headers);
    let limit = intake.request_bytes_max;
    let (wire_bytes, body) = collect(body, limit).await;
    let arrival = Arrival {
        protocol,
        signal,
        path: head.uri.path().to_owned(),
        headers: headers_as_text(&head.headers),
        compression,
        wire_bytes,
    };
    let body = body
        .and_then(|bytes| decompress(bytes, compression, limit))
        .and_then(|bytes| as_protobuf(bytes, protocol, signal));
    respond(&intake.receive(arrival, body, connection).await, protocol, signal)
}

fn protocol(headers: &HeaderMap) -> Protocol {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    match content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase().as_str() {
        PROTOBUF => Protocol::HttpProtobuf,
        JSON => Protocol::HttpJson,
        _ => Protocol::HttpOther,
    }
}

fn compression(headers: &HeaderMap) -> Compression {
    let encoding = headers.get(CONTENT_ENCODING).map(HeaderValue::as_bytes).unwrap_or_default();
    match encoding.to_ascii_lowercase().as_slice() {
        b"" | b"identity" => Compression::None,
        b"gzip" => Compression::Gzip,
        b"zstd" => Compression::Zstd,
        _ => Compression::Other,
    }
}

/// The body, and how much of it was there.
async fn collect(mut body: Body, limit: usize) -> (usize, Result<Bytes, Failure>) {
    let mut collected = BytesMut::new();
    let mut wire_bytes = 0_usize;
    while let Some(frame) = body.frame().await {
        let data = match frame.map(http_body::Frame::into_data) {
            Ok(Ok(data)) => data,
            Ok(Err(_trailers)) => continue,
            Err(error) => {
                return (wire_bytes, Err(Failure::malformed(format!("the body broke off: {error}"))));
            }
        };
        wire_bytes += data.len();
        if wire_bytes <= limit {
            collected.extend_from_slice(&data);
        } else if wire_bytes > limit.saturating_mul(DRAIN_FACTOR) {
            break;
        }
    }
    let body = if wire_bytes > limit { Err(Failure::too_large(limit)) } else { Ok(collected.freeze()) };
    (wire_bytes, body)
}

fn decompress(body: Bytes, compression: Compression, limit: usize) -> Result<Bytes, Failure> {
    match compression {
        Compression::None => Ok(body),
        Compression::Gzip => inflated(MultiGzDecoder::new(&*body), "gzip", limit),
        #[cfg(feature = "zstd")]
        Compression::Zstd => match zstd::Decoder::new(&*body) {
            Ok(decoder) => inflated(decoder, "zstd", limit),
            Err(error) => Err(Failure::malformed(format!("invalid zstd: {error}"))),
        },
        #[cfg(not(feature = "zstd"))]
        Compression::Zstd => Err(Failure::unsupported("zstd is not built in (feature zstd)")),
        Compression::Other => Err(Failure::unsupported("the only content encoding is gzip")),
    }
}

fn inflated(decoder: impl Read, name: &str, limit: usize) -> Result<Bytes, Failure> {
    let mut plain = Vec::new();
    // One byte more than allowed tells a body of just that size from a larger one.
    let read = decoder.take(limit as u64 + 1).read_to_end(&mut plain);
    read.map_err(|error| Failure::malformed(format!("invalid {name}: {error}")))?;
    if plain.len() > limit { Err(Failure::too_large(limit)) } else { Ok(plain.into()) }
}

fn as_protobuf(body: Bytes, protocol: Protocol, signal: Signal) -> Result<Bytes, Failure> {
    match protocol {
        Protocol::HttpProtobuf => Ok(body),
        Protocol::HttpJson => {
            let message = match signal {
                Signal::Traces => &throughline_otlp_json::TRACES_DATA,
                Signal::Logs => &throughline_otlp_json::LOGS_DATA,
                Signal::Metrics => &throughline_otlp_json::METRICS_DATA,
            };
            let bytes = throughline_otlp_json::to_protobuf(&body, message);
            bytes.map(Bytes::from).map_err(|error| Failure::malformed(error.to_string()))
        }
        Protocol::HttpOther | Protocol::Grpc => {
            Err(Failure::unsupported(format!("the content type must be {PROTOBUF} or {JSON}")))
        }
    }
}

/// The answer, in the request's content type; in JSON where the request's was none of OTLP's.
fn respond(result: &Result<Answer, Failure>, protocol: Protocol, signal: Signal) -> Response {
    let (content_type, status, body) = match (result, protocol) {
        (Ok(answer), _) if answer.html().is_some() => (HTML, StatusCode::OK, answer.to_protobuf()),
        (Ok(answer), Protocol::HttpProtobuf) => (PROTOBUF, StatusCode::OK, answer.to_protobuf()),
        (Ok(answer), _) => (JSON, StatusCode::OK, answer.to_json(signal)),
        (Err(failure), Protocol::HttpProtobuf) => (PROTOBUF, status(failure), failure.to_protobuf()),
        (Err(failure), _) => (JSON, status(failure), failure.to_json().into_bytes()),
    };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    if status == StatusCode::UNSUPPORTED_MEDIA_TYPE {
        response.headers_mut().insert(ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
    }
    if let Err(Failure { retry_after: Some(delay), .. }) = result {
        let seconds = delay.as_secs() + u64::from(delay.subsec_nanos() > 0);
        response.headers_mut().insert(RETRY_AFTER, seconds.into());
    }
    response
}

fn status(failure: &Failure) -> StatusCode {
    StatusCode::from_u16(failure.http_status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}
