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
//! | an error of the client | yes |
//! | 502, 503, 504 | yes |
//! | 500 and other 5xx | yes |
//! | 408, 429 | as [`throttled`](RetryLayer::throttled) says: not unless told so |
//! | other 4xx, and everything else | never |
//! | a method that isn't idempotent | never, unless the request says [`Idempotent`] or has an `idempotency-key` |
//!
//! The pause is full jitter over an exponential backoff: any time between zero and 100 ms, 200 ms, 400 ms … up to 10 s. A
//! `Retry-After` in the answer takes its place, if it isn't longer than [`RETRY_AFTER_MAX`]; if it is, nothing is sent again.
//!
//! On the caller's span: `throughline.retry.resends`, and in `throughline.retry.end` why it was not sent once more.

mod policy;

use std::{sync::Arc, time::Duration};

use throughline_core::Backoff;
use tower::{
    layer::Layer,
    retry::{Retry, budget::TpsBudget},
};

pub use policy::RetryPolicy;

/// How often a request is sent again at most unless told otherwise.
pub const RESENDS_MAX: u32 = 3;
/// The longest `Retry-After` that is waited for.
pub const RETRY_AFTER_MAX: Duration = Duration::from_secs(30);

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
        budget: Arc::new(TpsBudget::default()),
    }
}

/// Sends requests of the client below it again; see [the module](mod@crate::retry).
///
/// All clients that the layer is put onto share its budget: one resend for every five requests, and ten a second on top.
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing until it is added to a client"]
pub struct RetryLayer {
    name: &'static str,
    resends_max: u32,
    throttled: Throttled,
    backoff: Backoff,
    budget: Arc<TpsBudget>,
}

impl RetryLayer {
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

    /// How many resends there may be: a share of the requests, from 0 to 1000, and so many a second beside.
    ///
    /// A share that isn't in that range is taken as its nearest end.
    pub fn budget(mut self, share: f32, per_second: u32) -> Self {
        let share = if share.is_finite() { share.clamp(0.0, 1000.0) } else { 0.0 };
        self.budget = Arc::new(TpsBudget::new(Duration::from_secs(10), per_second, share));
        self
    }
}

impl<S> Layer<S> for RetryLayer {
    type Service = Retry<RetryPolicy, S>;

    fn layer(&self, inner: S) -> Self::Service {
        Retry::new(RetryPolicy::new(self.clone()), inner)
    }
}
