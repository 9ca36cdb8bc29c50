//! What a consumer has counted.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use axum::Json;
use serde_json::{Value, json};
use throughline::http::Problem;

use super::{database::Database, failure::unavailable, mqtt::Handled};

/// How many messages had been handled before, since the start of the process. Clones count together.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    duplicates: Arc<AtomicU64>,
}

impl Tally {
    /// Counts one.
    pub(super) fn duplicate(&self) -> Handled {
        self.duplicates.fetch_add(1, Ordering::Relaxed);
        Handled::Duplicate
    }

    /// The answer to `GET /internal/state`, with the number of orders that a statement counts.
    pub(super) async fn state(
        &self,
        database: &Database,
        orders: &'static str,
    ) -> Result<Json<Value>, Problem> {
        let orders = database.count(orders).await.map_err(|error| unavailable(&error.into()))?;
        Ok(Json(json!({ "orders": orders, "duplicates": self.duplicates.load(Ordering::Relaxed) })))
    }
}
