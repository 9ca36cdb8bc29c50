//! Stores orders, and tells the others once one is stored.

use std::{error::Error, net::SocketAddr, sync::Arc, time::Duration};

use axum::{Json, Router, extract::State, http::StatusCode, routing::post};
use rumqttc::v5::AsyncClient;
use sqlx::{
    SqlitePool,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions},
};
use throughline::{
    SpanExt,
    http::reqwest::{self, Client},
};
use tracing::{Span, info, warn};

use super::{
    listen, mqtt,
    order::{ORDER_CREATED, Order, OrderRequest, User},
};
use crate::{arguments::ServeArguments, faults::Rate};

/// How long a write waits for the other instance to release the database.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

#[derive(Clone)]
struct Orders {
    database: SqlitePool,
    broker: AsyncClient,
    http: Client,
    shards: Arc<[SocketAddr]>,
    instance: usize,
    fail: Rate,
}

type Failure = Box<dyn Error + Send + Sync>;

pub(super) async fn serve(settings: &ServeArguments) -> Result<(), Box<dyn Error>> {
    let url = settings.broker.as_ref().ok_or("orders needs --broker")?;
    let broker = mqtt::publisher(url, &format!("orders-{}", settings.instance)).await?;
    let orders = Orders {
        database: open(settings).await?,
        broker,
        http: reqwest::traced(::reqwest::Client::builder())?,
        shards: settings.peer.clone().into(),
        instance: settings.instance,
        fail: settings.fail,
    };
    listen::serve(Router::new().route("/orders", post(create)).with_state(orders)).await
}

/// Both instances use one database file, so that it does not matter which one an order reaches.
async fn open(settings: &ServeArguments) -> Result<SqlitePool, Box<dyn Error>> {
    let path = settings.database.as_ref().ok_or("orders needs --database")?;
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .busy_timeout(BUSY_TIMEOUT);
    let pool = SqlitePoolOptions::new().max_connections(4).connect_with(options).await?;
    sqlx::query("CREATE TABLE IF NOT EXISTS orders (id INTEGER PRIMARY KEY, user_id INTEGER NOT NULL, item TEXT NOT NULL)")
        .execute(&pool)
        .await?;
    Ok(pool)
}

async fn create(
    State(orders): State<Orders>,
    Json(request): Json<OrderRequest>,
) -> Result<(StatusCode, Json<Order>), StatusCode> {
    Span::current().set_attribute("shop.instance", orders.instance);
    if orders.fail.strikes() {
        warn!("failing on purpose");
        return Err(StatusCode::INTERNAL_SERVER_ERROR);
    }
    match orders.accept(request).await {
        Ok(order) => Ok((StatusCode::CREATED, Json(order))),
        Err(error) => {
            warn!(error = &*error, "order not accepted");
            Err(StatusCode::SERVICE_UNAVAILABLE)
        }
    }
}

impl Orders {
    /// The write first, then the event: whoever hears of an order can find it.
    async fn accept(&self, request: OrderRequest) -> Result<Order, Failure> {
        let user = self.user(request.user).await?;
        let order = self.store(user.id, request.item).await?;
        info!(order.id, user.id, "order stored");
        mqtt::publish(&self.broker, ORDER_CREATED, &order).await?;
        Ok(order)
    }

    async fn user(&self, id: u64) -> Result<User, Failure> {
        let shard = self.shard_of(id)?;
        let answer = self.http.get(format!("http://{shard}/users/{id}")).send().await?;
        Ok(answer.error_for_status()?.json().await?)
    }

    fn shard_of(&self, user: u64) -> Result<SocketAddr, Failure> {
        let shards = u64::try_from(self.shards.len())?;
        let place = usize::try_from(user.checked_rem(shards).ok_or("no shard of users")?)?;
        self.shards.get(place).copied().ok_or_else(|| "no shard of users".into())
    }

    async fn store(&self, user: u64, item: String) -> Result<Order, Failure> {
        let row = sqlx::query("INSERT INTO orders (user_id, item) VALUES (?, ?)")
            .bind(i64::try_from(user)?)
            .bind(&item)
            .execute(&self.database)
            .await?;
        Ok(Order { id: row.last_insert_rowid(), user, item })
    }
}
