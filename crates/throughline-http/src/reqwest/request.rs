//! Putting a request together.

use std::{fmt, future::Future, panic::Location, time::Duration};

use ::reqwest::{
    Body, Error, Request, Response,
    header::{HeaderMap, HeaderName, HeaderValue},
};
use serde::Serialize;

use super::Client;
use crate::client::ResendCount;

/// A request that is being put together; what `reqwest::RequestBuilder` is to `reqwest::Client`.
///
/// Mistakes on the way (a header that HTTP doesn't allow, a body that is no JSON) are reported by [`send`](Self::send).
#[must_use = "nothing is sent until `send` is called"]
pub struct RequestBuilder {
    client: Client,
    inner: ::reqwest::RequestBuilder,
    resends: ResendCount,
}

impl RequestBuilder {
    pub(super) const fn new(client: Client, inner: ::reqwest::RequestBuilder) -> Self {
        Self { client, inner, resends: ResendCount(0) }
    }

    /// Adds a header.
    pub fn header<K, V>(self, name: K, value: V) -> Self
    where
        HeaderName: TryFrom<K>,
        <HeaderName as TryFrom<K>>::Error: Into<http::Error>,
        HeaderValue: TryFrom<V>,
        <HeaderValue as TryFrom<V>>::Error: Into<http::Error>,
    {
        self.configure(|inner| inner.header(name, value))
    }

    /// Adds headers; those of a name that is there already are replaced.
    pub fn headers(self, headers: HeaderMap) -> Self {
        self.configure(|inner| inner.headers(headers))
    }

    /// Sends user name and password.
    pub fn basic_auth(self, user: impl fmt::Display, password: Option<impl fmt::Display>) -> Self {
        self.configure(|inner| inner.basic_auth(user, password))
    }

    /// Sends a bearer token.
    pub fn bearer_auth(self, token: impl fmt::Display) -> Self {
        self.configure(|inner| inner.bearer_auth(token))
    }

    /// Sends `body`.
    pub fn body(self, body: impl Into<Body>) -> Self {
        self.configure(|inner| inner.body(body))
    }

    /// Sends `body` as JSON, and says so.
    pub fn json<T: Serialize + ?Sized>(self, body: &T) -> Self {
        self.configure(|inner| inner.json(body))
    }

    /// Limits the time until the last byte of the response, for all attempts together.
    pub fn timeout(self, limit: Duration) -> Self {
        self.configure(|inner| inner.timeout(limit))
    }

    /// How often this request was sent before: what a retry by hand says of itself.
    pub const fn resend_count(mut self, resends: ResendCount) -> Self {
        self.resends = resends;
        self
    }

    /// Whatever else `reqwest` can do to a request: forms, queries, multipart, behind its own features.
    ///
    /// ```
    /// # fn example(http: &throughline_http::reqwest::Client) {
    /// let request = http.get("http://search.internal/").configure(|request| request.version(http::Version::HTTP_11));
    /// # let _ = request; }
    /// ```
    pub fn configure(
        self,
        change: impl FnOnce(::reqwest::RequestBuilder) -> ::reqwest::RequestBuilder,
    ) -> Self {
        Self { inner: change(self.inner), ..self }
    }

    /// The request, unsent.
    ///
    /// # Errors
    /// The first mistake that was made on the way.
    pub fn build(self) -> Result<Request, Error> {
        self.inner.build()
    }

    /// Sends the request; see [`Client::execute`].
    ///
    /// # Errors
    /// The first mistake that was made on the way, or what [`Client::execute`] returns.
    #[track_caller]
    pub fn send(self) -> impl Future<Output = Result<Response, Error>> + Send {
        let place = Location::caller();
        async move { self.client.send_from(place, self.inner.build()?, self.resends).await }
    }
}

impl fmt::Debug for RequestBuilder {
    /// Shows neither address nor headers: they may be secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestBuilder").finish_non_exhaustive()
    }
}
