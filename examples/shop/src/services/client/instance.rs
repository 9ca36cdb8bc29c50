//! One instance of another service, at its address.

use std::{
    error::Error,
    fmt,
    future::Future,
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll},
};

use axum::{
    body::{Body, Bytes},
    http::{Request, Response, Uri, uri::InvalidUri},
};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper_util::client::legacy;
use tower::Service;

use super::{Answer, Call, Http};

/// The longest answer that is read.
const ANSWER_LEN_MAX: usize = 1024 * 1024;

/// An instance at its address. A call to it names a path, and its answer is there as a whole.
#[derive(Clone, Debug)]
pub(in crate::services) struct Instance {
    name: String,
    address: SocketAddr,
    http: Http,
}

impl Instance {
    /// The instance of this name.
    pub(in crate::services) fn new(name: String, address: SocketAddr, http: &Http) -> Self {
        Self { name, address, http: http.clone() }
    }

    /// The instances of a service, numbered from 1.
    pub(in crate::services) fn all(
        service: &str,
        addresses: &[SocketAddr],
        http: &Http,
    ) -> impl Iterator<Item = Self> {
        (1..)
            .zip(addresses)
            .map(move |(number, address)| Self::new(format!("{service}-{number}"), *address, http))
    }

    pub(in crate::services) fn name(&self) -> &str {
        &self.name
    }

    pub(in crate::services) const fn address(&self) -> SocketAddr {
        self.address
    }

    fn url(&self, path: &Uri) -> Result<Uri, InvalidUri> {
        format!("http://{}{path}", self.address).parse()
    }
}

/// An instance is shown by its name, which is where its place in a ring of shards comes from: addresses differ at each start.
impl fmt::Display for Instance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl Service<Call> for Instance {
    type Response = Answer;
    type Error = CallError;
    type Future = Pin<Box<dyn Future<Output = Result<Answer, CallError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), CallError>> {
        self.http.traced.poll_ready(cx).map_err(CallError::Unreachable)
    }

    fn call(&mut self, mut request: Request<Full<Bytes>>) -> Self::Future {
        let sent = self.url(request.uri()).map(|url| {
            *request.uri_mut() = url;
            self.http.traced.call(request)
        });
        Box::pin(async move {
            let response = sent.map_err(CallError::Url)?.await.map_err(CallError::Unreachable)?;
            whole(response.map(Body::new)).await
        })
    }
}

/// Reads the answer to its end, so that a time limit around the call has the body in it.
async fn whole(response: Response<Body>) -> Result<Answer, CallError> {
    let (head, body) = response.into_parts();
    match Limited::new(body, ANSWER_LEN_MAX).collect().await {
        Ok(body) => Ok(Response::from_parts(head, body.to_bytes())),
        Err(error) if error.is::<LengthLimitError>() => Err(CallError::TooLong),
        Err(error) => Err(CallError::BrokenOff(error)),
    }
}

/// Why a call has no answer.
#[derive(Debug)]
pub(in crate::services) enum CallError {
    /// The path is none.
    Url(InvalidUri),
    /// No instance is there, or it went away before it answered.
    Unreachable(legacy::Error),
    /// It went away in the middle of its answer.
    BrokenOff(Box<dyn Error + Send + Sync>),
    /// The answer is longer than [`ANSWER_LEN_MAX`].
    TooLong,
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Url(_) => "the path of the call is none",
            Self::Unreachable(_) => "the instance can't be reached",
            Self::BrokenOff(_) => "the answer broke off",
            Self::TooLong => "the answer is too long",
        })
    }
}

impl Error for CallError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Url(error) => Some(error),
            Self::Unreachable(error) => Some(error),
            Self::BrokenOff(error) => Some(&**error),
            Self::TooLong => None,
        }
    }
}
