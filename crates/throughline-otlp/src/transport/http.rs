//! OTLP over HTTP, with bodies in protobuf or JSON.

use std::{
    sync::Arc,
    time::{Duration, UNIX_EPOCH},
};

use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue, Request, Response, StatusCode, Uri,
    header::{CONTENT_ENCODING, CONTENT_TYPE, RETRY_AFTER, USER_AGENT as USER_AGENT_HEADER},
};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use throughline_core::now_unix_nanos;

use super::{
    Answer, compress,
    connect::{self, Connector, Version},
    pieces::Pieces,
    response,
};
use crate::{
    settings::{Endpoint, Protocol, RESPONSE_BYTES_MAX, USER_AGENT},
    signal_kind::SignalKind,
};

#[derive(Debug)]
pub(crate) struct Http {
    client: Client<Connector, Pieces>,
    kind: SignalKind,
    uri: Uri,
    headers: HeaderMap,
    endpoint: Endpoint,
}

impl Http {
    pub(super) fn new(kind: SignalKind, endpoint: &Endpoint) -> Result<Self, String> {
        let uri = endpoint.url.parse().map_err(|error| format!("{} is no URL: {error}", endpoint.url))?;
        let mut headers = super::headers(endpoint)?;
        let content_type = match endpoint.protocol {
            Protocol::HttpJson => "application/json",
            Protocol::HttpProtobuf | Protocol::Grpc => "application/x-protobuf",
        };
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        headers.insert(USER_AGENT_HEADER, HeaderValue::from_static(USER_AGENT));
        if let Some(encoding) = endpoint.compression.encoding() {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static(encoding));
        }
        let client =
            Client::builder(TokioExecutor::new()).build(connect::connector(endpoint, Version::Http1)?);
        Ok(Self { client, kind, uri, headers, endpoint: endpoint.clone() })
    }

    pub(super) fn prepare(&self, request: &Arc<[Bytes]>) -> Result<Pieces, String> {
        match self.endpoint.protocol {
            #[cfg(feature = "json")]
            Protocol::HttpJson => {
                let json = super::json(request, self.kind)?.into();
                compress::compressed(&Arc::from([json]), self.endpoint.compression)
            }
            _ => compress::compressed(request, self.endpoint.compression),
        }
    }

    pub(super) async fn send(&self, body: &Pieces) -> Answer {
        let limit = self.endpoint.timeout;
        match tokio::time::timeout(limit, self.call(body.clone())).await {
            Ok(Ok((StatusCode::OK, _, answer))) => self.read(&answer),
            Ok(Ok((status, after, _))) => super::refused(status, after),
            Ok(Err(answer)) => answer,
            Err(_) => Answer::Later { after: None, why: format!("no answer within {limit:?}") },
        }
    }

    /// An answer in JSON that cannot be read still came with a status of success.
    fn read(&self, answer: &[u8]) -> Answer {
        #[cfg(feature = "json")]
        if self.endpoint.protocol == Protocol::HttpJson {
            let read = throughline_otlp_json::to_protobuf(answer, self.kind.response());
            return response::read(&read.unwrap_or_default());
        }
        response::read(answer)
    }

    async fn call(&self, body: Pieces) -> Result<(StatusCode, Option<Duration>, Bytes), Answer> {
        let mut request = Request::post(self.uri.clone())
            .body(body)
            .map_err(|error| Answer::Never { why: error.to_string() })?;
        *request.headers_mut() = self.headers.clone();
        let response = self.client.request(request).await.map_err(|error| self.later(&error))?;
        let (status, after) = (response.status(), retry_after(&response));
        let body = Limited::new(response.into_body(), RESPONSE_BYTES_MAX).collect().await;
        match body {
            Ok(body) => Ok((status, after, body.to_bytes())),
            // What the status says stands, whatever became of the text behind it.
            Err(_) if status != StatusCode::OK => Ok((status, after, Bytes::new())),
            Err(error) if error.is::<LengthLimitError>() => {
                Err(Answer::Never { why: super::TOO_LONG.to_owned() })
            }
            Err(error) => Err(self.later(&*error)),
        }
    }

    /// The connection failed, or broke before the answer was whole.
    fn later(&self, error: &(dyn std::error::Error + 'static)) -> Answer {
        Answer::Later { after: None, why: connect::problem(error, &self.endpoint) }
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
