//! After which errors a request is sent again.

use std::error::Error;

use crate::Refused;

/// Decides whether sending again may help after an error of the client.
///
/// [`UnlessRefused`] unless [`RetryLayer::errors`](super::RetryLayer::errors) says otherwise; closures are such deciders, too.
/// It is asked where a call has failed, and only there: before the pause, and before anything is taken from the budget.
///
/// ```
/// use http::{Request, Response};
/// use throughline_resilience::{Refused, retry};
/// use tower::{BoxError, ServiceBuilder, ServiceExt, service_fn};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// # let http = service_fn(async |_: Request<()>| Err::<Response<()>, BoxError>(Refused.into()));
/// // A `BoxError` is no `Error` itself, and has to be looked into.
/// let retry = retry::layer("users").errors(|error: &BoxError| !Refused::is_in(&**error));
/// let client = ServiceBuilder::new().layer(retry).service(http);
/// assert!(client.oneshot(Request::new(())).await.is_err_and(|error| error.is::<Refused>()));
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` doesn't decide whether a request is sent again after `{E}`",
    label = "doesn't decide about `{E}`",
    note = "the default `UnlessRefused` is for what implements `std::error::Error`; `Box<dyn Error + Send + Sync>` does not",
    note = "for that, `.errors(|error: &BoxError| !Refused::is_in(&**error))`; for any error at all, `.errors(EveryError)`"
)]
pub trait ResendErrors<E> {
    /// Whether the request is sent again after `error`, as far as its number of resends, its time and the budget allow.
    fn resends(&self, error: &E) -> bool;
}

/// The default: an error is sent again unless [`Refused`] is among its sources.
///
/// Then nothing was sent, and whoever refused it, a breaker for example, would refuse the next try as well.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UnlessRefused;

impl<E: Error + 'static> ResendErrors<E> for UnlessRefused {
    fn resends(&self, error: &E) -> bool {
        !Refused::is_in(error)
    }
}

/// Every error is sent again, be it a refusal: each resend then waits, and is taken from the budget.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EveryError;

impl<E> ResendErrors<E> for EveryError {
    fn resends(&self, _: &E) -> bool {
        true
    }
}

impl<E, F: Fn(&E) -> bool> ResendErrors<E> for F {
    fn resends(&self, error: &E) -> bool {
        self(error)
    }
}
