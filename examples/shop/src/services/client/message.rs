//! What goes out and what comes back.

use axum::{
    body::Bytes,
    http::{HeaderName, HeaderValue, Method, Request, Response, header::CONTENT_TYPE},
};
use http_body_util::Full;
use serde::{Serialize, de::DeserializeOwned};

use crate::services::Failure;

/// A request whose body can be sent again.
pub(in crate::services) type Call = Request<Full<Bytes>>;
/// An answer that is there as a whole.
pub(in crate::services) type Answer = Response<Bytes>;

/// Asks for `path`.
pub(in crate::services) fn get(path: &str) -> Result<Call, Failure> {
    Ok(Request::get(path).body(Full::default())?)
}

/// Sends `body` to `path` as JSON, with these headers.
pub(in crate::services) fn send(
    method: Method,
    path: &str,
    body: &impl Serialize,
    headers: impl IntoIterator<Item = (HeaderName, HeaderValue)>,
) -> Result<Call, Failure> {
    let body = Full::new(Bytes::from(serde_json::to_vec(body)?));
    let mut request = Request::builder().method(method).uri(path).body(body)?;
    request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    request.headers_mut().extend(headers);
    Ok(request)
}

/// What an answer says; one that isn't a success is a failure here.
pub(in crate::services) fn read<T: DeserializeOwned>(answer: &Answer) -> Result<T, Failure> {
    if !answer.status().is_success() {
        return Err(format!("answered with {}", answer.status()).into());
    }
    Ok(serde_json::from_slice(answer.body())?)
}
