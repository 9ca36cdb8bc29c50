//! Sending a request again when that may help and can't hurt.
//!
//! [`layer`] is a policy for `tower`'s retry, with its budget, so that retries never make an outage worse. Around the client's
//! trace layer, each attempt has a span of its own with `http.request.resend_count`; the wait between them is an event
//! `sending again` on the caller's span, with the delay and the reason.
//!
//! ```
//! use http::{Request, Response};
//! use throughline_resilience::retry;
//! use tower::{ServiceBuilder, ServiceExt, service_fn};
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let http = service_fn(async |_: Request<()>| Ok::<_, std::io::Error>(Response::new(())));
//! let client = ServiceBuilder::new().layer(retry::layer("users")).service(http);
//! let response = client.oneshot(Request::get("http://users.internal/users/7").body(())?).await?;
//! # assert!(response.status().is_success()); Ok(()) }
//! ```
//!
//! | what | sent again |
//! |---|---|
//! | an error of the client | as [`errors`](RetryLayer::errors) says: unless it is a refusal, as that of an open breaker |
//! | 502, 503, 504 | yes |
//! | 500 and other 5xx | yes |
//! | 408, 429 | as [`throttled`](RetryLayer::throttled) says: not unless told so |
//! | other 4xx, and everything else | never |
//! | a method that isn't idempotent | never, unless the request says [`Idempotent`] or has an `idempotency-key` |
//!
//! The pause is full jitter over an exponential backoff: any time between zero and 100 ms, 200 ms, 400 ms … up to 10 s. A
//! `Retry-After` in the answer takes its place, if it isn't longer than [`RETRY_AFTER_MAX`]; if it is, nothing is sent again.
//!
//! On the caller's span: `throughline.retry.resends`, and in `throughline.retry.end` why it was not sent once more:
//!
//! | `throughline.retry.end` | |
//! |---|---|
//! | `answered` | it went well; not told of a request that went well at once |
//! | `not_worth_it` | a status that is not sent again |
//! | `refused` | an error that is not sent again |
//! | `too_many` | [`resends_max`](RetryLayer::resends_max) |
//! | `asked_for_too_long` | a `Retry-After` beyond [`RETRY_AFTER_MAX`] |
//! | `out_of_time` | the [deadline](throughline_core::Context::deadline) isn't after the pause: nobody would wait for it |
//! | `budget_spent` | [`budget`](RetryLayer::budget) |
//!
//! Of a request that may not be sent twice nothing is told: it passes as if there were no retry. Whatever the end, the caller gets
//! the last answer or error, unchanged; so it does, and nothing is told, where the client fails to become ready for a resend.
//!
//! # Cancel safety
//! A call that is dropped in the pause isn't sent again. What its resend has taken from the budget is not given back.

mod budget;
mod errors;
mod policy;

use std::{sync::Arc, time::Duration};

use throughline_core::Backoff;
use tower::{
    layer::Layer,
    retry::{Retry, budget::TpsBudget},
};

pub use errors::{EveryError, ResendErrors, UnlessRefused};
pub use policy::RetryPolicy;

/// How often a request is sent again at most unless told otherwise.
pub const RESENDS_MAX: u32 = 3;
/// The longest `Retry-After` that is waited for.
pub const RETRY_AFTER_MAX: Duration = Duration::from_secs(30);

/// How many resends each request that went well allows unless told otherwise.
pub const SHARE: f32 = 0.2;
/// How many resends a second there may be beside.
pub const PER_SECOND: u32 = 10;

/// Marks a request as one that may be sent twice: put it into its extensions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Idempotent;

/// What is done about 408 and 429, which say that the request was fine and the moment was not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Throttled {
    /// They are answers like any other 4xx.
    #[default]
    GiveUp,
    /// They are sent again.
    Resend,
}

/// The layer that sends requests to `name` again; see [the module](mod@crate::retry).
pub fn layer(name: &'static str) -> RetryLayer {
    RetryLayer {
        name,
        resends_max: RESENDS_MAX,
        throttled: Throttled::default(),
        backoff: Backoff::new(Duration::from_millis(100), Duration::from_secs(10)),
        budget: Arc::new(budget::new(SHARE, PER_SECOND)),
        errors: UnlessRefused,
    }
}

/// Sends requests of the client below it again; see [the module](mod@crate::retry).
///
/// All clients that the layer is put onto share its [budget](Self::budget).
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing until it is added to a client"]
pub struct RetryLayer<P = UnlessRefused> {
    name: &'static str,
    resends_max: u32,
    throttled: Throttled,
    backoff: Backoff,
    budget: Arc<TpsBudget>,
    errors: P,
}

impl<P> RetryLayer<P> {
    /// How often a request is sent again at most.
    pub fn resends_max(mut self, resends_max: u32) -> Self {
        self.resends_max = resends_max;
        self
    }

    /// What is done about 408 and 429.
    pub fn throttled(mut self, throttled: Throttled) -> Self {
        self.throttled = throttled;
        self
    }

    /// The pause before the first resend, at most, and that before any of them.
    pub fn backoff(mut self, first: Duration, longest: Duration) -> Self {
        self.backoff = Backoff::new(first, longest);
        self
    }

    /// After which errors a request is sent again: [`EveryError`], a closure, or a [`ResendErrors`] of your own.
    ///
    /// [`UnlessRefused`] unless told otherwise, which takes any `std::error::Error`. A client with other errors, `BoxError` among
    /// them, is no service behind this layer until this is called. Each request gets a clone of it.
    pub fn errors<Q: Clone>(self, errors: Q) -> RetryLayer<Q> {
        let Self { name, resends_max, throttled, backoff, budget, errors: _ } = self;
        RetryLayer { name, resends_max, throttled, backoff, budget, errors }
    }

    /// How many resends there may be: a share of what went well, and so many a second beside; [`SHARE`] and [`PER_SECOND`]
    /// unless told otherwise. Where it is spent, the caller gets the failure.
    ///
    /// What went well is a request that may be sent twice and was answered with less than 400, be it at last: a service that is
    /// down pays for no resends, and requests that are never sent again pay for nobody else's. Both are counted over ten seconds,
    /// so that ten times `per_second` may come at once.
    ///
    /// The share, from 0 to 1000, is rounded down: up to 1 to one resend for a whole number of answers (0.3 is one for every
    /// four), beyond to 1000 divided by a whole number. One that isn't in that range is taken as its nearest end, one below a
    /// millionth or not a number as none, and a rate beyond 2,147,483,646 as that.
    pub fn budget(mut self, share: f32, per_second: u32) -> Self {
        self.budget = Arc::new(budget::new(share, per_second));
        self
    }
}

impl<S, P: Clone> Layer<S> for RetryLayer<P> {
    type Service = Retry<RetryPolicy<P>, S>;

    fn layer(&self, inner: S) -> Self::Service {
        Retry::new(RetryPolicy::new(self.clone()), inner)
    }
}
