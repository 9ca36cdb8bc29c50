//! Takes orders: the order, the stock and the event are one transaction, and whoever is told of an order can find it.

mod customers;
mod refusal;
mod store;

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Json, Router,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::{get, post, put},
};
use serde_json::{Value, json};
use throughline::http::Problem;
use tracing::info;

use super::{
    Failure, Host,
    back_door::Peers,
    client::Http,
    database::Database,
    failure::unavailable,
    mqtt::EventPublisher,
    order::{IDEMPOTENCY_KEY, Order, OrderRequest},
};
use crate::arguments::Service;
use customers::Customers;
use refusal::Refusal;
use store::{Placed, Store};

/// The longest idempotency key.
const KEY_LEN_MAX: usize = 255;

#[derive(Clone, Debug)]
struct Orders {
    store: Store,
    customers: Arc<Customers>,
}

pub(super) async fn serve(host: &Host) -> Result<(), Failure> {
    let settings = host.settings();
    let database = Database::open(settings.database()?, "orders", &store::SCHEMA).await?;
    let store = Store::open(database.clone()).await?;
    let customers = Arc::new(Customers::new(Http::new(), &settings.peers(Service::Users)));
    let publisher = EventPublisher::connect(host).await?;
    let orders = Orders { store, customers };
    let faulty = host.faulty(Router::new().route("/orders", post(create)).with_state(orders.clone()));
    let routes = Router::new()
        .route("/internal/peers", put(change_peers))
        .route("/internal/replay", post(replay))
        .route("/internal/state", get(state))
        .with_state(orders);
    let listening = host.listen(faulty.merge(routes), throughline::http::server());
    tokio::try_join!(listening, database.relay(&publisher, host.stop()))?;
    Ok(())
}

/// 201 with the order; 200 with the order that there is already under this key.
async fn create(
    State(orders): State<Orders>,
    headers: HeaderMap,
    Json(request): Json<OrderRequest>,
) -> Response {
    let answer = |status, order: Order| (status, Json(order)).into_response();
    match orders.place(&headers, &request).await {
        Ok(Placed::New(order)) => {
            info!(order.id, user.id = order.user, "order stored");
            answer(StatusCode::CREATED, order)
        }
        Ok(Placed::Before(order)) => {
            info!(order.id, user.id = order.user, "order was stored before");
            answer(StatusCode::OK, order)
        }
        Err(refusal) => refusal.into_response(),
    }
}

impl Orders {
    async fn place(&self, headers: &HeaderMap, request: &OrderRequest) -> Result<Placed, Refusal> {
        let key = key(headers)?;
        let user = self.customers.find(request.user).await?;
        self.store.place(&user, &request.item, key).await
    }
}

fn key(headers: &HeaderMap) -> Result<Option<&str>, Refusal> {
    let Some(value) = headers.get(IDEMPOTENCY_KEY) else { return Ok(None) };
    let fits = |text: &&str| (1..=KEY_LEN_MAX).contains(&text.len());
    value.to_str().ok().filter(fits).map(Some).ok_or(Refusal::BadKey)
}

async fn change_peers(State(orders): State<Orders>, Json(peers): Json<Peers>) -> Result<StatusCode, Problem> {
    orders.customers.change_shards(&peers.of(Service::Users)?);
    Ok(StatusCode::NO_CONTENT)
}

async fn replay(State(orders): State<Orders>) -> Result<Json<Value>, Problem> {
    let replayed = orders.store.database().replay().await.map_err(|error| unavailable(&error.into()))?;
    Ok(Json(json!({ "replayed": replayed })))
}

async fn state(State(orders): State<Orders>) -> Result<Json<Value>, Problem> {
    let state = async {
        let outbox = orders.store.database().outbox_state().await?;
        let stock: BTreeMap<_, _> = orders.store.stock().await?.into_iter().collect();
        Ok::<_, Failure>(json!({
            "orders": orders.store.count().await?,
            "outbox": { "waiting": outbox.waiting, "relayed": outbox.relayed, "dead": outbox.dead },
            "stock": stock,
        }))
    };
    state.await.map(Json).map_err(|failure| unavailable(&failure))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_short_and_readable() {
        let check = |value: &[u8]| {
            let mut headers = HeaderMap::new();
            headers.insert(IDEMPOTENCY_KEY, axum::http::HeaderValue::from_bytes(value).unwrap());
            key(&headers).map(|key| key.map(str::to_owned)).ok()
        };
        assert_eq!(check(b"order-17"), Some(Some("order-17".to_owned())));
        assert_eq!(check(b""), None);
        assert_eq!(check(&[b'x'; 256]), None);
        assert_eq!(check(b"\xff"), None);
        assert!(key(&HeaderMap::new()).is_ok_and(|key| key.is_none()));
    }
}
