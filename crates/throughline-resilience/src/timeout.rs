//! A time limit on a call, and the next hop is told how much of it is left.
//!
//! [`client`] is a layer around a client: it gives a call 2 s, or what is left of the caller's own time where that is less, or
//! what the request itself says where that is still less,
//! says so in `x-request-timeout-ms` (for gRPC in `grpc-timeout`), and fails when the time is up, which cancels the call. Where
//! no time is left at all, nothing is sent.
//! [`server`] is a layer around a service: it reads the same header and makes the deadline current, so that the calls of the
//! handler share it. What comes without any time left isn't begun, and answered with 504. Once begun, no handler is stopped:
//! whoever waits has stopped waiting, and says so itself.
//!
//! ```
//! use std::time::Duration;
//! use throughline_resilience::timeout;
//! use tower::{ServiceBuilder, ServiceExt, service_fn};
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let http = service_fn(async |request: http::Request<()>| {
//!     assert!(request.headers().contains_key(timeout::HEADER));
//!     Ok::<_, std::io::Error>(http::Response::new(()))
//! });
//! let limited = ServiceBuilder::new().layer(timeout::client().limit(Duration::from_millis(500))).service(http);
//! limited.oneshot(http::Request::new(())).await?;
//! # Ok(()) }
//! ```
//!
//! On the caller's span: `throughline.timeout.ms`, on the call's own span, too, and `throughline.timeout.elapsed` where the
//! time was up. The latter is on the server's span where it did not begin.

use std::{
    error::Error,
    fmt,
    future::Future,
    pin::Pin,
    task::{Context as TaskContext, Poll},
    time::{Duration, Instant},
};

use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, header::CONTENT_TYPE};
use pin_project_lite::pin_project;
use throughline_core::{
    CallDecision, Context,
    semconv::own::{TIMEOUT_ELAPSED, TIMEOUT_MS},
};
use tokio::time::Sleep;
use tower_layer::Layer;
use tower_service::Service;

use crate::decision;

/// How long a call may take unless told otherwise.
pub const LIMIT: Duration = Duration::from_secs(2);

/// The header that says how many milliseconds are left.
pub const HEADER: &str = "x-request-timeout-ms";

/// gRPC's header for the same: a number and a unit.
const GRPC_HEADER: &str = "grpc-timeout";

/// The longest time that is believed of a caller: a day.
const BELIEVED_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// The layer for a client; see [the module](mod@crate::timeout).
pub fn client() -> ClientLayer {
    ClientLayer { limit: LIMIT }
}

/// The layer for a service; see [the module](mod@crate::timeout).
pub fn server() -> ServerLayer {
    ServerLayer {}
}

/// Limits the calls of the client below it.
#[derive(Clone, Copy, Debug)]
#[must_use = "a layer does nothing until it is added to a client"]
pub struct ClientLayer {
    limit: Duration,
}

impl ClientLayer {
    /// How long a call may take, until the head of its answer is there.
    pub fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }
}

impl<S> Layer<S> for ClientLayer {
    type Service = Limited<S>;

    fn layer(&self, inner: S) -> Limited<S> {
        Limited { inner, limit: self.limit }
    }
}

/// A client with a time limit.
#[derive(Clone, Debug)]
pub struct Limited<S> {
    inner: S,
    limit: Duration,
}

impl<S> Limited<S> {
    /// The client below.
    pub const fn get_ref(&self) -> &S {
        &self.inner
    }
}

impl<S, B> Service<Request<B>> for Limited<S>
where
    S: Service<Request<B>>,
{
    type Response = S::Response;
    type Error = TimeoutError<S::Error>;
    type Future = LimitedFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut TaskContext<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx).map_err(TimeoutError::Inner)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let now = Instant::now();
        let left = Context::current_deadline().map(|deadline| deadline.saturating_duration_since(now));
        let limit = left.into_iter().chain(read(request.headers())).fold(self.limit, Duration::min);
        write(limit, request.headers_mut());
        let decision = CallDecision::new([(TIMEOUT_MS, millis(limit).into())].into());
        let future = decision.before(|| (!limit.is_zero()).then(|| self.inner.call(request)));
        LimitedFuture { future, sleep: tokio::time::sleep(limit), limit, decision }
    }
}

pin_project! {
    /// The answer of a call with a time limit.
    ///
    /// # Cancel safety
    /// Dropped, it drops the call. So it does when the time is up.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct LimitedFuture<F> {
        // None for a call that had no time at all.
        #[pin]
        future: Option<F>,
        #[pin]
        sleep: Sleep,
        limit: Duration,
        decision: CallDecision,
    }
}

impl<F, T, E> Future for LimitedFuture<F>
where
    F: Future<Output = Result<T, E>>,
{
    type Output = Result<T, TimeoutError<E>>;

    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let polled = this.decision.within(|| this.future.as_pin_mut().map(|future| future.poll(cx)));
        match polled {
            Some(Poll::Ready(result)) => return Poll::Ready(result.map_err(TimeoutError::Inner)),
            Some(Poll::Pending) if this.sleep.poll(cx).is_pending() => return Poll::Pending,
            Some(Poll::Pending) | None => {}
        }
        decision::on_span(&[(TIMEOUT_ELAPSED, true.into())]);
        decision::count("timeout", "client", "elapsed");
        Poll::Ready(Err(TimeoutError::Elapsed { after: *this.limit }))
    }
}

/// Why a call with a time limit has no answer.
#[derive(Debug)]
#[non_exhaustive]
pub enum TimeoutError<E> {
    /// The time was up.
    Elapsed {
        /// How much there was.
        after: Duration,
    },
    /// The client failed.
    Inner(E),
}

impl<E> fmt::Display for TimeoutError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Elapsed { after } => write!(f, "no answer within {} ms", millis(*after)),
            Self::Inner(_) => f.write_str("the call failed"),
        }
    }
}

impl<E: Error + 'static> Error for TimeoutError<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Elapsed { .. } => None,
            Self::Inner(error) => Some(error),
        }
    }
}

/// Makes the caller's deadline current in the service below it, which isn't called if that has passed.
#[derive(Clone, Copy, Debug)]
#[must_use = "a layer does nothing until it is added to a service"]
pub struct ServerLayer {}

impl<S> Layer<S> for ServerLayer {
    type Service = WithDeadline<S>;

    fn layer(&self, inner: S) -> WithDeadline<S> {
        WithDeadline { inner }
    }
}

/// A service that knows when its caller stops waiting.
#[derive(Clone, Debug)]
pub struct WithDeadline<S> {
    inner: S,
}

impl<S, Q, B> Service<Request<Q>> for WithDeadline<S>
where
    S: Service<Request<Q>, Response = Response<B>>,
    B: Default,
{
    type Response = Response<B>;
    type Error = S::Error;
    type Future = DeadlineFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut TaskContext<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Q>) -> Self::Future {
        let left = read(request.headers());
        if left == Some(Duration::ZERO) {
            decision::on_span(&[(TIMEOUT_ELAPSED, true.into())]);
            decision::count("timeout", "server", "not_begun");
            return DeadlineFuture { future: None, deadline: None };
        }
        let deadline = left.map(|left| Instant::now() + left);
        let _inside = deadline.map(enter);
        DeadlineFuture { future: Some(self.inner.call(request)), deadline }
    }
}

fn enter(deadline: Instant) -> throughline_core::ContextGuard {
    Context::current().with_deadline(deadline).enter()
}

pin_project! {
    /// The answer of a service that knows its deadline.
    ///
    /// # Cancel safety
    /// Dropped, it drops the handler's work.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct DeadlineFuture<F> {
        // None for a request that came too late.
        #[pin]
        future: Option<F>,
        deadline: Option<Instant>,
    }
}

impl<F, B, E> Future for DeadlineFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
    B: Default,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<F::Output> {
        let this = self.project();
        let _inside = this.deadline.map(enter);
        match this.future.as_pin_mut() {
            Some(future) => future.poll(cx),
            None => Poll::Ready(Ok(too_late())),
        }
    }
}

fn too_late<B: Default>() -> Response<B> {
    let mut response = Response::new(B::default());
    *response.status_mut() = StatusCode::GATEWAY_TIMEOUT;
    response
}

fn write(limit: Duration, headers: &mut HeaderMap) {
    let is_grpc =
        headers.get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"application/grpc"));
    let millis = millis(limit);
    if is_grpc {
        // At most eight digits.
        let text = format!("{}m", millis.min(99_999_999));
        if let Ok(value) = HeaderValue::from_str(&text) {
            headers.insert(GRPC_HEADER, value);
        }
    } else {
        headers.insert(HEADER, HeaderValue::from(millis));
    }
}

/// What a caller says that is left; nothing where it says nothing that makes sense.
fn read(headers: &HeaderMap) -> Option<Duration> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let ours = text(HEADER).and_then(|text| text.parse().ok().map(Duration::from_millis));
    ours.or_else(|| text(GRPC_HEADER).and_then(parse_grpc)).filter(|left| *left <= BELIEVED_MAX)
}

/// `100m`: up to eight digits, then the unit (gRPC over HTTP/2, "Timeout").
fn parse_grpc(text: &str) -> Option<Duration> {
    let unit = text.chars().next_back()?;
    let digits = text.strip_suffix(unit)?;
    if digits.len() > 8 || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let number: u64 = digits.parse().ok()?;
    Some(match unit {
        'H' => Duration::from_secs(number * 3600),
        'M' => Duration::from_secs(number * 60),
        'S' => Duration::from_secs(number),
        'm' => Duration::from_millis(number),
        'u' => Duration::from_micros(number),
        'n' => Duration::from_nanos(number),
        _ => return None,
    })
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_is_read_from_either_header() {
        for (name, value, expected) in [
            (HEADER, "250", Some(Duration::from_millis(250))),
            (HEADER, "0", Some(Duration::ZERO)),
            (HEADER, "-1", None),
            (HEADER, "soon", None),
            (HEADER, "99999999999999999999", None),
            (HEADER, "86400001", None),
            (GRPC_HEADER, "2S", Some(Duration::from_secs(2))),
            (GRPC_HEADER, "100m", Some(Duration::from_millis(100))),
            (GRPC_HEADER, "1H", Some(Duration::from_secs(3600))),
            (GRPC_HEADER, "123456789m", None),
            (GRPC_HEADER, "5", None),
            (GRPC_HEADER, "5d", None),
            (GRPC_HEADER, "", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(name, value.parse().unwrap());
            assert_eq!(read(&headers), expected, "{name}: {value}");
        }
        assert_eq!(read(&HeaderMap::new()), None);
    }

    #[test]
    fn a_grpc_call_has_its_own_header() {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc+proto"));
        write(Duration::from_millis(1500), &mut headers);
        assert_eq!(headers.get(GRPC_HEADER).unwrap(), "1500m");
        assert_eq!(read(&headers), Some(Duration::from_millis(1500)));
    }
}
