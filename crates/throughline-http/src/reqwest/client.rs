//! The client: one span an attempt, redirects included.

use std::{
    fmt,
    future::{Future, poll_fn},
    panic::Location,
    pin::pin,
    sync::Arc,
    time::Instant,
};

use ::reqwest::{Body, ClientBuilder, Error, IntoUrl, Method, Request, Response, ResponseBuilderExt, retry};
use throughline_core::{OrphanKind, expect_current, semconv::error::ERROR_TYPE_OTHER};

use super::{
    RequestBuilder,
    nack::{NACKS_MAX, is_nack},
    redirect::{self, DefaultSecrets, Replay},
};
use crate::{
    client::{Attempt, ResendCount, ResponseBody, Settings, Target, TraceLayer},
    flight::{End, InFlight},
    inside::Inside,
};

/// How many redirects are followed unless said otherwise; as many as `reqwest` does.
const REDIRECTS_MAX: usize = 10;

/// Builds a client from `builder` that traces what it sends; see [the module](mod@crate::reqwest).
///
/// # Errors
/// When the builder cannot build: its TLS backend or its resolver cannot be set up.
pub fn traced(builder: ClientBuilder) -> Result<Client, Error> {
    let secrets = DefaultSecrets::of(&builder);
    let inner = builder.redirect(redirect::policy()).retry(retry::never()).build()?;
    Ok(Client {
        inner,
        secrets: Arc::new(secrets),
        redirects_max: REDIRECTS_MAX,
        settings: TraceLayer::new().into_settings(),
    })
}

/// A traced `reqwest` client; see [the module](mod@crate::reqwest).
///
/// Cheap to clone: clones share their connections.
#[derive(Clone)]
pub struct Client {
    inner: ::reqwest::Client,
    secrets: Arc<DefaultSecrets>,
    redirects_max: usize,
    settings: Arc<Settings>,
}

impl Client {
    /// Follows at most `redirects_max` redirects; with 0, a redirect is an answer like any other.
    #[must_use]
    pub fn redirects_max(mut self, redirects_max: usize) -> Self {
        self.redirects_max = redirects_max;
        self
    }

    /// How attempts are traced: [`client()`](crate::client()) with what was set on it.
    ///
    /// ```
    /// # fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// use throughline_http::{client, client::Hosts, reqwest::traced};
    ///
    /// let ours = Hosts::new(["*.shop.internal"])?;
    /// let http = traced(reqwest::Client::builder())?.tracing(client().propagation(ours).body_sizes());
    /// # let _ = http; Ok(()) }
    /// # example().unwrap();
    /// ```
    #[must_use]
    pub fn tracing(mut self, layer: TraceLayer) -> Self {
        self.settings = layer.into_settings();
        self
    }

    /// Starts a GET request.
    pub fn get(&self, url: impl IntoUrl) -> RequestBuilder {
        self.request(Method::GET, url)
    }

    /// Starts a HEAD request.
    pub fn head(&self, url: impl IntoUrl) -> RequestBuilder {
        self.request(Method::HEAD, url)
    }

    /// Starts a POST request.
    pub fn post(&self, url: impl IntoUrl) -> RequestBuilder {
        self.request(Method::POST, url)
    }

    /// Starts a PUT request.
    pub fn put(&self, url: impl IntoUrl) -> RequestBuilder {
        self.request(Method::PUT, url)
    }

    /// Starts a PATCH request.
    pub fn patch(&self, url: impl IntoUrl) -> RequestBuilder {
        self.request(Method::PATCH, url)
    }

    /// Starts a DELETE request.
    pub fn delete(&self, url: impl IntoUrl) -> RequestBuilder {
        self.request(Method::DELETE, url)
    }

    /// Starts a request.
    pub fn request(&self, method: Method, url: impl IntoUrl) -> RequestBuilder {
        RequestBuilder::new(self.clone(), self.inner.request(method, url))
    }

    /// Sends a request, and follows where it is redirected to.
    ///
    /// The span of the last attempt stays open until the response's body has been read or dropped.
    ///
    /// # Errors
    /// What `reqwest` returns: the address is none, the connection failed, time ran out, too many redirects.
    ///
    /// # Cancel safety
    /// Dropped before it is ready, it ends the span as `cancelled`, which is no error.
    #[track_caller]
    pub fn execute(&self, request: Request) -> impl Future<Output = Result<Response, Error>> + Send {
        self.resend(request, ResendCount::default())
    }

    /// The same for a request that was sent `resends` times before; the count goes on from there.
    ///
    /// # Errors
    /// As [`execute`](Self::execute).
    ///
    /// # Cancel safety
    /// As [`execute`](Self::execute).
    #[track_caller]
    pub fn resend(
        &self,
        request: Request,
        resends: ResendCount,
    ) -> impl Future<Output = Result<Response, Error>> + Send {
        self.send_from(Location::caller(), request, resends)
    }

    /// The same for a request that the application asked for at `place`.
    pub(super) async fn send_from(
        &self,
        place: &'static Location<'static>,
        mut request: Request,
        resends: ResendCount,
    ) -> Result<Response, Error> {
        expect_current(OrphanKind::Request, place, || called(&request));
        let deadline = request.timeout().map(|limit| (Instant::now(), *limit));
        let (mut resends, mut redirects, mut nacks) = (resends, 0, 0);
        loop {
            let replay = Replay::of(&request);
            let is_last = redirects > 0 && redirects == self.redirects_max;
            let next = match self.attempt(request, resends, is_last).await {
                Ok((response, mut attempt)) => {
                    let follows = redirects < self.redirects_max;
                    let next = follows.then(|| replay.redirected(&response, &self.secrets)).flatten();
                    let Some(next) = next else { return Ok(watched(response, attempt)) };
                    attempt.finish(End::Complete);
                    redirects += 1;
                    next
                }
                Err(error) => {
                    let again = if nacks < NACKS_MAX && is_nack(&error) { replay.whole() } else { None };
                    let Some(next) = again else { return Err(error) };
                    nacks += 1;
                    next
                }
            };
            request = next;
            if let Some((began, limit)) = deadline {
                *request.timeout_mut() = Some(limit.saturating_sub(began.elapsed()));
            }
            resends = resends.next();
        }
    }

    /// One attempt: the response, of which the span is still open, or an error that ended it.
    async fn attempt(
        &self,
        mut request: Request,
        resends: ResendCount,
        is_last: bool,
    ) -> Result<(Response, Attempt), Error> {
        let target = target(&request);
        let method = request.method().clone();
        let attempt = Attempt::open(&self.settings, &method, target, request.headers_mut(), resends);

        let sent = async {
            let mut sent = pin!(self.inner.execute(request));
            poll_fn(|cx| redirect::refusing(is_last, || sent.as_mut().poll(cx))).await
        };
        let (result, mut attempt) = Inside::new(sent, attempt).await;
        match result {
            Ok(response) => {
                attempt.answered(response.status(), response.version(), response.headers());
                Ok((response, attempt))
            }
            Err(error) => {
                if let Some(status) = redirect::take_refused() {
                    attempt.refused(status);
                }
                attempt.finish(End::Failed(kind(&error)));
                Err(error)
            }
        }
    }
}

impl fmt::Debug for Client {
    /// Shows no default headers: they may be secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("redirects_max", &self.redirects_max).finish_non_exhaustive()
    }
}

fn target(request: &Request) -> Target {
    let url = request.url();
    Target {
        url: Some(url.as_str().to_owned()),
        host: url.host_str().map(|host| host.trim_matches(['[', ']']).to_owned()),
        port: url.port_or_known_default(),
    }
}

/// What a request is called that left its trace.
fn called(request: &Request) -> String {
    format!("{} {}", request.method(), request.url().host_str().unwrap_or_default())
}

/// The same response, whose span ends with its body.
fn watched(response: Response, attempt: Attempt) -> Response {
    let url = response.url().clone();
    let (mut parts, body) = http::Response::<Body>::from(response).into_parts();
    // `reqwest` keeps the address in an extension whose type only this builder can make.
    if let Ok(carrier) = http::Response::builder().url(url).body(()) {
        parts.extensions.extend(carrier.into_parts().0.extensions);
    }
    let body = Body::wrap(ResponseBody::new(body, attempt, kind));
    Response::from(http::Response::from_parts(parts, body))
}

/// The kind of an error; its message may quote the address.
fn kind(error: &Error) -> &'static str {
    if error.is_timeout() {
        "timeout"
    } else if error.is_redirect() {
        "redirect"
    } else if is_nack(error) {
        "refused_stream"
    } else if error.is_connect() {
        "connect"
    } else if error.is_builder() {
        "builder"
    } else if error.is_body() {
        "body"
    } else if error.is_decode() {
        "decode"
    } else if error.is_request() {
        "request"
    } else {
        ERROR_TYPE_OTHER
    }
}
