//! What travels between the services.

use serde::{Deserialize, Serialize};
use throughline::core::now_unix_nanos;

/// What a customer asks for.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(super) struct OrderRequest {
    pub(super) user: u32,
    pub(super) item: String,
}

/// An order that was accepted.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(super) struct Order {
    pub(super) id: i64,
    pub(super) user: u32,
    pub(super) item: String,
}

/// A customer, as the users service knows them.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(super) struct User {
    pub(super) id: u32,
    pub(super) name: String,
}

/// Something has happened to an order.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(super) struct OrderEvent {
    pub(super) order: Order,
    /// When it happened, in milliseconds since the Unix epoch.
    pub(super) at: i64,
}

impl OrderEvent {
    /// It happens now.
    pub(super) fn now(order: Order) -> Self {
        Self { order, at: now_unix_millis() }
    }
}

/// Milliseconds since the Unix epoch.
pub(super) fn now_unix_millis() -> i64 {
    i64::try_from(now_unix_nanos() / 1_000_000).unwrap_or(i64::MAX)
}

/// Told by the orders service once an order is stored.
pub(super) const ORDER_CREATED: &str = "order.created";
/// Told by fulfilment once an order is packed.
pub(super) const ORDER_CONFIRMED: &str = "order.confirmed";
/// The header by which a request that is sent again is known.
pub(super) const IDEMPOTENCY_KEY: &str = "idempotency-key";
