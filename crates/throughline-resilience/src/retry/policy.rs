//! Whether to send again, when, and what is told of it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::{Method, Request, Response, StatusCode, header::RETRY_AFTER};
use throughline_core::{
    Context, ResendCount, now_unix_nanos,
    semconv::own::{RETRY_END, RETRY_RESENDS},
};
use tokio::time::{Instant, Sleep};
use tower::retry::{Policy, budget::Budget};

use super::{Idempotent, RETRY_AFTER_MAX, ResendErrors, RetryLayer, Throttled, UnlessRefused};
use crate::decision;

/// Decides for one request, from its first attempt to its last; see [the module](mod@crate::retry).
#[derive(Clone, Debug)]
pub struct RetryPolicy<P = UnlessRefused> {
    settings: RetryLayer<P>,
    resends: u32,
}

impl<P> RetryPolicy<P> {
    pub(super) const fn new(settings: RetryLayer<P>) -> Self {
        Self { settings, resends: 0 }
    }

    /// How long to wait before the next attempt, or why there is none.
    fn decide<B, E>(&self, result: &Result<Response<B>, E>) -> Result<Duration, End>
    where
        P: ResendErrors<E>,
    {
        let asked = match result {
            Err(error) if self.settings.errors.resends(error) => None,
            Err(_) => return Err(End::Refused),
            Ok(response) if self.is_worth_it(response.status()) => retry_after(response),
            Ok(response) if is_failure(response.status()) => return Err(End::NotWorthIt),
            Ok(_) => return Err(End::Answered),
        };
        if self.resends >= self.settings.resends_max {
            return Err(End::TooMany);
        }
        if asked.is_some_and(|pause| pause > RETRY_AFTER_MAX) {
            return Err(End::AskedForTooLong);
        }
        let pause = asked.unwrap_or_else(|| self.settings.backoff.wait(self.resends + 1));
        if is_too_late(pause) {
            return Err(End::OutOfTime);
        }
        // Last of all: what isn't sent costs nothing.
        if self.settings.budget.withdraw() { Ok(pause) } else { Err(End::BudgetSpent) }
    }

    fn is_worth_it(&self, status: StatusCode) -> bool {
        let is_throttled = matches!(status, StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS);
        status.is_server_error() || (is_throttled && self.settings.throttled == Throttled::Resend)
    }

    /// A request that went well the first time has nothing to tell.
    fn tell_end(&self, end: End) {
        if self.resends > 0 || end != End::Answered {
            decision::on_span(&[(RETRY_RESENDS, self.resends.into()), (RETRY_END, end.as_str().into())]);
            decision::count("retry", self.settings.name, end.as_str());
        }
    }
}

impl<Q: Clone, B, E, P: ResendErrors<E>> Policy<Request<Q>, Response<B>, E> for RetryPolicy<P> {
    type Future = Sleep;

    fn retry(&mut self, request: &mut Request<Q>, result: &mut Result<Response<B>, E>) -> Option<Sleep> {
        let pause = match self.decide(result) {
            Ok(pause) => pause,
            Err(end) => {
                if end == End::Answered {
                    self.settings.budget.deposit();
                }
                self.tell_end(end);
                return None;
            }
        };
        self.resends += 1;
        let before = request.extensions().get::<ResendCount>().copied().unwrap_or_default();
        request.extensions_mut().insert(before.next());
        tracing::info!(
            target: "throughline::resilience",
            to = self.settings.name,
            resend = self.resends,
            pause_ms = pause.as_secs_f64() * 1_000.0,
            reason = result.as_ref().map_or("error", |response| response.status().canonical_reason().unwrap_or("status")),
            "sending again"
        );
        decision::count("retry", self.settings.name, "resent");
        Some(tokio::time::sleep(pause))
    }

    /// Where there is no copy, `tower` hands the answer on without asking [`retry`](Policy::retry).
    fn clone_request(&mut self, request: &Request<Q>) -> Option<Request<Q>> {
        may_be_sent_twice(request).then(|| request.clone())
    }
}

/// Why a request isn't sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Answered,
    NotWorthIt,
    Refused,
    TooMany,
    AskedForTooLong,
    OutOfTime,
    BudgetSpent,
}

impl End {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::NotWorthIt => "not_worth_it",
            Self::Refused => "refused",
            Self::TooMany => "too_many",
            Self::AskedForTooLong => "asked_for_too_long",
            Self::OutOfTime => "out_of_time",
            Self::BudgetSpent => "budget_spent",
        }
    }
}

fn is_failure(status: StatusCode) -> bool {
    status.is_client_error() || status.is_server_error()
}

/// Whether nobody waits for the answer any more after this pause. By the clock that the pause goes by.
fn is_too_late(pause: Duration) -> bool {
    Context::current_deadline().is_some_and(|deadline| {
        let left = deadline.saturating_duration_since(Instant::now().into_std());
        left <= pause
    })
}

/// By its method (RFC 9110, 9.2.2), its mark, or its key.
fn may_be_sent_twice<Q>(request: &Request<Q>) -> bool {
    let by_method = matches!(
        *request.method(),
        Method::GET | Method::HEAD | Method::OPTIONS | Method::TRACE | Method::PUT | Method::DELETE
    );
    by_method
        || request.extensions().get::<Idempotent>().is_some()
        || request.headers().contains_key("idempotency-key")
}

/// Seconds, or a date (RFC 9110, 10.2.3).
fn retry_after<B>(response: &Response<B>) -> Option<Duration> {
    let text = response.headers().get(RETRY_AFTER)?.to_str().ok()?;
    if let Ok(seconds) = text.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date: SystemTime = httpdate::parse_http_date(text).ok()?;
    let date = date.duration_since(UNIX_EPOCH).ok()?;
    Some(date.saturating_sub(Duration::from_nanos(now_unix_nanos())))
}
