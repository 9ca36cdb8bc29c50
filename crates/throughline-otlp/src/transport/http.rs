//! OTLP over HTTP with protobuf bodies.

use std::{
    io::Write,
    sync::Arc,
    time::{Duration, UNIX_EPOCH},
};

use bytes::Bytes;
use flate2::{Compression as Level, write::GzEncoder};
use http::{
    HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, Uri,
    header::{CONTENT_ENCODING, CONTENT_TYPE, RETRY_AFTER, USER_AGENT as USER_AGENT_HEADER},
};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use throughline_core::{error_chain, now_unix_nanos};

use super::{Answer, response};
use crate::settings::{Compression, Endpoint, GZIP_LEVEL, RESPONSE_BYTES_MAX, USER_AGENT};

#[derive(Debug)]
pub(crate) struct Http {
    client: Client<HttpConnector, Full<Bytes>>,
    uri: Uri,
    headers: HeaderMap,
    compression: Compression,
    timeout: Duration,
}

impl Http {
    pub(crate) fn new(endpoint: &Endpoint) -> Result<Self, String> {
        let uri = endpoint.url.parse().map_err(|error| format!("{} is no URL: {error}", endpoint.url))?;
        let mut headers = headers(endpoint)?;
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-protobuf"));
        headers.insert(USER_AGENT_HEADER, HeaderValue::from_static(USER_AGENT));
        if endpoint.compression == Compression::Gzip {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        Ok(Self {
            client: client(),
            uri,
            headers,
            compression: endpoint.compression,
            timeout: endpoint.timeout,
        })
    }

    pub(crate) async fn send(&mut self, body: Arc<[Bytes]>) -> Answer {
        let body = match self.compression {
            Compression::None => body.concat().into(),
            Compression::Gzip => gzip(&body),
        };
        match tokio::time::timeout(self.timeout, self.call(body)).await {
            Ok(Ok((StatusCode::OK, _, answer))) => response::read(&answer),
            Ok(Ok((status, after, _))) => refused(status, after),
            Ok(Err(answer)) => answer,
            Err(_) => Answer::Later { after: None, why: format!("no answer within {:?}", self.timeout) },
        }
    }

    async fn call(&self, body: Bytes) -> Result<(StatusCode, Option<Duration>, Bytes), Answer> {
        let mut request = Request::post(self.uri.clone())
            .body(Full::new(body))
            .map_err(|error| Answer::Never { why: error.to_string() })?;
        *request.headers_mut() = self.headers.clone();
        let response = self.client.request(request).await.map_err(|error| later(&error))?;
        let (status, after) = (response.status(), retry_after(&response));
        let body = Limited::new(response.into_body(), RESPONSE_BYTES_MAX).collect().await;
        match body {
            Ok(body) => Ok((status, after, body.to_bytes())),
            // What the status says stands, whatever became of the text behind it.
            Err(_) if status != StatusCode::OK => Ok((status, after, Bytes::new())),
            Err(error) if error.is::<LengthLimitError>() => {
                Err(Answer::Never { why: format!("an answer of more than {RESPONSE_BYTES_MAX} bytes") })
            }
            Err(error) => Err(later(&*error)),
        }
    }
}

/// A client of its own: the application's has spans, this one must not.
pub(crate) fn client() -> Client<HttpConnector, Full<Bytes>> {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    Client::builder(TokioExecutor::new()).build(connector)
}

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

fn refused(status: StatusCode, after: Option<Duration>) -> Answer {
    let why = format!("HTTP status {status}");
    match status.as_u16() {
        429 | 502 | 503 | 504 => Answer::Later { after, why },
        _ => Answer::Never { why },
    }
}

/// `Retry-After` in seconds; a date is turned into the time until then.
fn retry_after(response: &Response<Incoming>) -> Option<Duration> {
    let value = response.headers().get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let then = httpdate::parse_http_date(value).ok()?.duration_since(UNIX_EPOCH).ok()?;
    Some(then.saturating_sub(Duration::from_nanos(now_unix_nanos())))
}

fn gzip(body: &[Bytes]) -> Bytes {
    let mut encoder = GzEncoder::new(Vec::new(), Level::new(GZIP_LEVEL));
    // Writing to memory cannot fail.
    for piece in body {
        let _never_fails = encoder.write_all(piece);
    }
    encoder.finish().unwrap_or_default().into()
}

/// The connection failed, or broke before the answer was whole.
fn later(error: &(dyn std::error::Error + 'static)) -> Answer {
    Answer::Later { after: None, why: error_chain(error) }
}
