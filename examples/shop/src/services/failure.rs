//! What can go wrong in a service, and what its caller is told of it.

use std::error::Error;

use axum::http::StatusCode;
use throughline::http::Problem;
use tracing::warn;

/// Anything that a service can't do anything about.
pub(super) type Failure = Box<dyn Error + Send + Sync>;

/// 503 for the caller, who is told no more than that; the log line has the rest.
pub(super) fn unavailable(failure: &Failure) -> Problem {
    warn!(error = &**failure, "request not served");
    Problem::new(StatusCode::SERVICE_UNAVAILABLE)
}
