//! Packs what was ordered, some time after the customer has gone.

use axum::{
    Json, Router,
    extract::State,
    routing::{get, post},
};
use serde_json::{Value, json};
use throughline::{http::Problem, sqlx::outbox::Event};
use tracing::info;

use super::{
    Failure, Host,
    database::{Database, sql},
    failure::unavailable,
    mqtt::{Consumer, EventPublisher, Handled, Handler, Message},
    order::{ORDER_CONFIRMED, ORDER_CREATED, OrderEvent},
    tally::Tally,
};

const NAME: &str = "fulfilment";
const SCHEMA: [&str; 1] =
    ["CREATE TABLE IF NOT EXISTS parcels (order_id BIGINT PRIMARY KEY, item TEXT NOT NULL)"];

pub(super) async fn serve(host: &Host) -> Result<(), Failure> {
    let database = Database::open(host.settings().database()?, NAME, &SCHEMA).await?;
    let publisher = EventPublisher::connect(host).await?;
    let packing = Packing { database: database.clone(), tally: Tally::default() };
    let consumer = Consumer::subscribe(host, ORDER_CREATED, packing.clone(), publisher.clone()).await?;
    let routes = Router::new()
        .route("/internal/replay", post(replay))
        .route("/internal/state", get(state))
        .with_state(packing);
    let listening = host.listen(routes, throughline::http::server());
    tokio::try_join!(listening, consumer.run(), database.relay(&publisher, host.stop()))?;
    Ok(())
}

#[derive(Clone, Debug)]
struct Packing {
    database: Database,
    tally: Tally,
}

impl Handler for Packing {
    /// The parcel, the note that the message was had, and what is told about it are one transaction.
    async fn handle(&self, message: &Message) -> Result<Handled, Failure> {
        let order = &message.event.order;
        let mut transaction = self.database.begin().await?;
        if !transaction.first_time(NAME, &message.id).await? {
            return Ok(self.tally.duplicate());
        }
        let pack = sql("INSERT INTO parcels (order_id, item) VALUES ($1, $2)");
        transaction.execute(pack.integer(order.id).text(&order.item)).await?;
        let event = serde_json::to_vec(&OrderEvent::now(order.clone()))?;
        transaction.store(Event::new(ORDER_CONFIRMED, event).key(format!("order-{}", order.id))).await?;
        transaction.commit().await?;
        self.database.wake();
        info!(order.id, order.item, "order packed");
        Ok(Handled::Done)
    }
}

async fn replay(State(packing): State<Packing>) -> Result<Json<Value>, Problem> {
    let replayed = packing.database.replay().await.map_err(|error| unavailable(&error.into()))?;
    Ok(Json(json!({ "replayed": replayed })))
}

async fn state(State(packing): State<Packing>) -> Result<Json<Value>, Problem> {
    packing.tally.state(&packing.database, "SELECT COUNT(*) FROM parcels").await
}
