//! Why an order isn't accepted.

use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};
use throughline::{http::Problem, sqlx::outbox::OutboxError};
use tracing::info;

use crate::services::{Failure, failure::unavailable};

/// Why an order isn't accepted.
#[derive(Debug)]
pub(super) enum Refusal {
    UnknownUser,
    UnknownItem,
    SoldOut,
    /// The idempotency key can't be used.
    BadKey,
    /// The idempotency key is that of another order.
    KeyTaken,
    /// Not the customer's fault: it may go well if it is sent again.
    Trouble(Failure),
}

impl Refusal {
    fn told(&self) -> Result<(StatusCode, &'static str), &Failure> {
        Ok(match self {
            Self::UnknownUser => (StatusCode::NOT_FOUND, "there is no such user"),
            Self::UnknownItem => (StatusCode::UNPROCESSABLE_ENTITY, "there is no such item"),
            Self::SoldOut => (StatusCode::CONFLICT, "the item is sold out"),
            Self::BadKey => {
                (StatusCode::BAD_REQUEST, "an idempotency key has 1 to 255 visible ASCII characters")
            }
            Self::KeyTaken => {
                (StatusCode::UNPROCESSABLE_ENTITY, "the idempotency key belongs to another order")
            }
            Self::Trouble(failure) => return Err(failure),
        })
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        match self.told() {
            Ok((status, detail)) => {
                info!(detail, "order refused");
                Problem::new(status).detail(detail).into_response()
            }
            Err(failure) => unavailable(failure).into_response(),
        }
    }
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        Self::Trouble(failure)
    }
}

impl From<sqlx::Error> for Refusal {
    fn from(error: sqlx::Error) -> Self {
        Self::Trouble(error.into())
    }
}

impl From<OutboxError> for Refusal {
    fn from(error: OutboxError) -> Self {
        Self::Trouble(error.into())
    }
}

impl From<serde_json::Error> for Refusal {
    fn from(error: serde_json::Error) -> Self {
        Self::Trouble(error.into())
    }
}
