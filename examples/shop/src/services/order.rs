//! What travels between the services.

use serde::{Deserialize, Serialize};

/// What a customer asks for.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct OrderRequest {
    pub(super) user: u64,
    pub(super) item: String,
}

/// An order that was accepted.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Order {
    pub(super) id: i64,
    pub(super) user: u64,
    pub(super) item: String,
}

/// A customer, as the users service knows them.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct User {
    pub(super) id: u64,
    pub(super) name: String,
}

/// Told by the orders service once an order is stored.
pub(super) const ORDER_CREATED: &str = "order.created";
/// Told by fulfilment once an order is packed.
pub(super) const ORDER_CONFIRMED: &str = "order.confirmed";
