//! The front door: stateless, sends each order to the next instance of the orders service.

use std::{
    error::Error,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use axum::{
    Json, Router,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::post,
};
use serde_json::json;
use throughline::{
    Context, SpanExt,
    http::reqwest::{self, Client},
};
use tracing::{Span, info, warn};

use super::{
    listen,
    order::{Order, OrderRequest},
};
use crate::{arguments::ServeArguments, faults::Rate};

#[derive(Clone)]
struct Gateway {
    http: Client,
    orders: Arc<[SocketAddr]>,
    next: Arc<AtomicUsize>,
    fail: Rate,
}

pub(super) async fn serve(settings: &ServeArguments) -> Result<(), Box<dyn Error>> {
    let gateway = Gateway {
        http: reqwest::traced(::reqwest::Client::builder())?,
        orders: settings.peer.clone().into(),
        next: Arc::default(),
        fail: settings.fail,
    };
    listen::serve(Router::new().route("/orders", post(create)).with_state(gateway)).await
}

/// `POST /orders`: answers with the order, and with the trace id, so that support can find it.
async fn create(State(gateway): State<Gateway>, Json(request): Json<OrderRequest>) -> Response {
    if gateway.fail.strikes() {
        warn!("failing on purpose");
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    }
    let trace = Context::current().span().map(|span| span.trace_id().to_string());
    match gateway.place(&request).await {
        Ok(order) => {
            info!(order.id, "order placed");
            (StatusCode::CREATED, Json(json!({ "order": order, "trace_id": trace }))).into_response()
        }
        Err(error) => {
            warn!(error = &*error, "order refused");
            (StatusCode::BAD_GATEWAY, Json(json!({ "trace_id": trace }))).into_response()
        }
    }
}

impl Gateway {
    async fn place(&self, request: &OrderRequest) -> Result<Order, Box<dyn Error + Send + Sync>> {
        let instance = self.choose()?;
        let answer = self.http.post(format!("http://{instance}/orders")).json(request).send().await?;
        Ok(answer.error_for_status()?.json().await?)
    }

    /// Round robin over the instances.
    fn choose(&self) -> Result<SocketAddr, &'static str> {
        let turn = self.next.fetch_add(1, Ordering::Relaxed);
        let place = turn.checked_rem(self.orders.len()).ok_or("no instance of orders")?;
        Span::current().set_attribute("shop.orders.instance", place + 1);
        self.orders.get(place).copied().ok_or("no instance of orders")
    }
}
