//! What others have bought, too: nice to have, and now and then slow or away.

use axum::{Json, Router, extract::Query, routing::get};
use serde::Deserialize;
use serde_json::{Value, json};
use tracing::info;

use super::{Failure, Host};

pub(super) async fn serve(host: &Host) -> Result<(), Failure> {
    let faulty = host.faulty(Router::new().route("/recommendations", get(recommend)));
    let routes = Router::new().route("/internal/state", get(async || Json(json!({}))));
    host.listen(faulty.merge(routes), throughline::http::server()).await
}

#[derive(Debug, Deserialize)]
struct Basket {
    item: String,
}

async fn recommend(Query(basket): Query<Basket>) -> Json<Value> {
    let recommendations = bought_with(&basket.item);
    info!(recommendations = recommendations.len(), "recommended");
    Json(json!({ "recommendations": recommendations }))
}

/// A model that took months to train.
const fn bought_with(item: &str) -> [&'static str; 2] {
    match item.as_bytes() {
        b"teapot" => ["tea", "umbrella"],
        b"umbrella" => ["lantern", "rubber boots"],
        b"lantern" => ["matches", "compass"],
        _ => ["map", "teapot"],
    }
}
