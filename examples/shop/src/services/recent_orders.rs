//! A read model: each user's latest orders, put together from events, and so always a little late. It says how late.

mod freshness;
mod model;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::{
    Json, Router,
    extract::{Path, State},
    http::StatusCode,
    routing::{get, post},
};
use serde_json::{Value, json};
use throughline::{
    http::Problem,
    resilience::cache::{Cached, Read},
};
use tracing::info;

use super::{
    Failure, Host,
    database::Database,
    failure::unavailable,
    mqtt::{Consumer, EventPublisher, Handled, Handler, Message},
    order::{ORDER_CREATED, Order, now_unix_millis},
    tally::Tally,
};
use freshness::Freshness;
use model::Model;

const NAME: &str = "recent-orders";

/// How long an answer is kept: an event about the user ends it before that.
const TTL: Duration = Duration::from_secs(3_600);
/// How much longer it is good enough where the database is away.
const STALE_FOR: Duration = Duration::from_secs(3_600);
/// The answers of how many users are kept.
const USERS_MAX: u64 = 10_000;

pub(super) async fn serve(host: &Host) -> Result<(), Failure> {
    let database = Database::open(host.settings().database()?, NAME, &model::SCHEMA).await?;
    let recent = RecentOrders::open(Model::new(database)).await?;
    let dead_letters = EventPublisher::connect(host).await?;
    let consumer = Consumer::subscribe(host, ORDER_CREATED, recent.clone(), dead_letters).await?;
    let routes = Router::new()
        .route("/users/{id}/recent-orders", get(find))
        .route("/internal/reset", post(reset))
        .route("/internal/state", get(state))
        .with_state(recent);
    tokio::try_join!(host.listen(routes, throughline::http::server()), consumer.run())?;
    Ok(())
}

#[derive(Clone, Debug)]
struct RecentOrders {
    model: Model,
    freshness: Arc<Freshness>,
    /// By user, and by how often everything was forgotten: after a reset nobody asks for the old entries again.
    cache: Cached<(u64, u32), Vec<Order>>,
    resets: Arc<AtomicU64>,
    tally: Tally,
}

impl RecentOrders {
    async fn open(model: Model) -> Result<Self, Failure> {
        let freshness = Arc::new(Freshness::since(model.last_event_at().await?));
        let cache = Cached::<(u64, u32), Vec<Order>>::builder(NAME)
            .ttl(TTL)
            .stale_for(STALE_FOR)
            .entries_max(USERS_MAX)
            .build();
        Ok(Self { model, freshness, cache, resets: Arc::default(), tally: Tally::default() })
    }

    fn key(&self, user: u32) -> (u64, u32) {
        (self.resets.load(Ordering::Acquire), user)
    }

    /// What is kept, or what the database has. An event that comes meanwhile may not be in what is read: that is told now, and
    /// not kept, since the event makes the cache forget.
    async fn of(&self, user: u32) -> Result<Read<Vec<Order>>, Arc<sqlx::Error>> {
        self.cache.get(self.key(user), async || self.model.of(user).await).await
    }
}

impl Handler for RecentOrders {
    async fn handle(&self, message: &Message) -> Result<Handled, Failure> {
        let order = &message.event.order;
        if !self.model.note(NAME, message).await? {
            return Ok(self.tally.duplicate());
        }
        self.freshness.heard(message.event.at);
        self.cache.forget(&self.key(order.user)).await;
        info!(order.id, user.id = order.user, "read model updated");
        Ok(Handled::Done)
    }
}

/// The orders, where they come from, and how old the answer may be: whatever happened after `last_event_at` may be missing.
async fn find(State(recent): State<RecentOrders>, Path(user): Path<u32>) -> Result<Json<Value>, Problem> {
    let read = recent.of(user).await.map_err(|error| unavailable(&error.into()))?;
    let cache = read.freshness().as_str();
    let lag_ms = recent.freshness.lag(now_unix_millis());
    info!(user.id = user, cache, lag_ms, "recent orders read");
    Ok(Json(json!({
        "orders": read.into_inner(),
        "cache": cache,
        "last_event_at": recent.freshness.last_event_at(),
        "lag_ms": lag_ms,
    })))
}

async fn reset(State(recent): State<RecentOrders>) -> Result<StatusCode, Problem> {
    recent.model.forget_everything(NAME).await.map_err(|error| unavailable(&error.into()))?;
    recent.resets.fetch_add(1, Ordering::AcqRel);
    recent.freshness.reset();
    Ok(StatusCode::NO_CONTENT)
}

async fn state(State(recent): State<RecentOrders>) -> Result<Json<Value>, Problem> {
    recent.tally.state(recent.model.database(), "SELECT COUNT(*) FROM recent_orders").await
}
