//! The front door: stateless. It hands each call to whoever can answer it, and answers without those who can't.

mod orders;
mod recent;
mod recommendations;

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::{get, post, put},
};
use serde_json::{Value, json};
use throughline::{
    Context,
    http::Problem,
    resilience::{fallback, shed},
};
use tracing::{info, warn};

use super::{
    Failure, Host,
    back_door::Peers,
    client::{Answer, Http, read},
    failure::unavailable,
    order::{Order, OrderRequest},
};
use crate::arguments::Service;
use orders::Orders;
use recent::RecentOrders;
use recommendations::Recommendations;

/// How many requests of customers are worked on at once: more than a release build needs for 200 orders a second, and no more
/// than a debug build on two cores gets done before its callers' time is up.
const UNDER_WAY_MAX: usize = 64;

#[derive(Clone, Debug)]
struct Gateway {
    orders: Arc<Orders>,
    recommendations: Recommendations,
    recent_orders: RecentOrders,
}

pub(super) async fn serve(host: &Host) -> Result<(), Failure> {
    let (settings, http) = (host.settings(), Http::new());
    let gateway = Gateway {
        orders: Arc::new(Orders::new(&http, settings.balance, &settings.peers(Service::Orders))),
        recommendations: Recommendations::new(&http, &settings.peers(Service::Recommendations))?,
        recent_orders: RecentOrders::new(&http, &settings.peers(Service::RecentOrders))?,
    };
    let faulty = Router::new()
        .route("/orders", post(create))
        .route("/users/{id}/recent-orders", get(find_recent))
        .with_state(gateway.clone());
    let routes = Router::new()
        .route("/internal/peers", put(change_peers))
        .route("/internal/state", get(state))
        .with_state(gateway);
    let limited = host.faulty(faulty).route_layer(shed::layer("gateway", UNDER_WAY_MAX));
    // Strangers call here: their trace is linked to, and not continued.
    host.listen(limited.merge(routes), throughline::http::server().public()).await
}

/// `POST /orders`: answers with the order, and with the trace id, so that support can find it.
async fn create(
    State(gateway): State<Gateway>,
    headers: HeaderMap,
    Json(request): Json<OrderRequest>,
) -> Response {
    let answer = match gateway.orders.place(&request, &headers).await {
        Ok(answer) if answer.status().is_success() => answer,
        Ok(answer) => return refused(&answer).into_response(),
        Err(failure) => return unavailable(&failure).into_response(),
    };
    match read::<Order>(&answer) {
        Ok(order) => accepted(&gateway, answer.status(), &order).await,
        Err(failure) => {
            warn!(error = &*failure, "orders gave an answer that makes no sense");
            Problem::new(StatusCode::BAD_GATEWAY).into_response()
        }
    }
}

async fn accepted(gateway: &Gateway, status: StatusCode, order: &Order) -> Response {
    info!(order.id, "order placed");
    let recommended = gateway.recommendations.for_item(&order.item).await;
    let trace_id = Context::current().span().map(|span| span.trace_id().to_string());
    let body = json!({ "order": order, "recommendations": recommended.items, "trace_id": trace_id });
    let mut response = (status, Json(body)).into_response();
    fallback::carry_over(&recommended.headers, response.headers_mut());
    response
}

/// What orders has said of it: the customer can do something about a 4xx, and about a 5xx can ask again.
fn refused(answer: &Answer) -> Problem {
    warn!(status = answer.status().as_u16(), "order refused");
    let status =
        if answer.status().is_client_error() { answer.status() } else { StatusCode::SERVICE_UNAVAILABLE };
    let problem: Value = serde_json::from_slice(answer.body()).unwrap_or_default();
    match problem.get("detail").and_then(Value::as_str) {
        Some(detail) if status.is_client_error() => Problem::new(status).detail(detail),
        _ => Problem::new(status),
    }
}

/// `GET /users/{id}/recent-orders`: as the read model has it.
async fn find_recent(State(gateway): State<Gateway>, Path(user): Path<u32>) -> Response {
    match gateway.recent_orders.of(user).await {
        Ok(orders) => Json(orders).into_response(),
        Err(failure) => unavailable(&failure).into_response(),
    }
}

async fn change_peers(
    State(gateway): State<Gateway>,
    Json(peers): Json<Peers>,
) -> Result<StatusCode, Problem> {
    gateway.orders.change_instances(&peers.of(Service::Orders)?);
    Ok(StatusCode::NO_CONTENT)
}

async fn state(State(gateway): State<Gateway>) -> Json<Value> {
    let (healthy, total) = gateway.orders.health();
    Json(json!({
        "breaker": gateway.recommendations.breaker(),
        "orders": { "healthy": healthy, "total": total },
    }))
}
