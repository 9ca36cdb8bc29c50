//! Tells the customer.

use axum::{Json, Router, extract::State, routing::get};
use serde_json::Value;
use throughline::http::Problem;
use tracing::info;

use super::{
    Failure, Host,
    database::{Database, sql},
    mqtt::{Consumer, EventPublisher, Handled, Handler, Message},
    order::ORDER_CONFIRMED,
    tally::Tally,
};

const NAME: &str = "notifications";
const SCHEMA: [&str; 1] =
    ["CREATE TABLE IF NOT EXISTS notifications (order_id BIGINT PRIMARY KEY, user_id BIGINT NOT NULL)"];

pub(super) async fn serve(host: &Host) -> Result<(), Failure> {
    let database = Database::open(host.settings().database()?, NAME, &SCHEMA).await?;
    let telling = Telling { database, tally: Tally::default() };
    let dead_letters = EventPublisher::connect(host).await?;
    let consumer = Consumer::subscribe(host, ORDER_CONFIRMED, telling.clone(), dead_letters).await?;
    let routes = Router::new().route("/internal/state", get(state)).with_state(telling);
    tokio::try_join!(host.listen(routes, throughline::http::server()), consumer.run())?;
    Ok(())
}

#[derive(Clone, Debug)]
struct Telling {
    database: Database,
    tally: Tally,
}

impl Handler for Telling {
    async fn handle(&self, message: &Message) -> Result<Handled, Failure> {
        let order = &message.event.order;
        let mut transaction = self.database.begin().await?;
        if !transaction.first_time(NAME, &message.id).await? {
            return Ok(self.tally.duplicate());
        }
        let tell = sql("INSERT INTO notifications (order_id, user_id) VALUES ($1, $2)");
        transaction.execute(tell.integer(order.id).integer(order.user)).await?;
        transaction.commit().await?;
        info!(order.id, user.id = order.user, "customer notified");
        Ok(Handled::Done)
    }
}

async fn state(State(telling): State<Telling>) -> Result<Json<Value>, Problem> {
    telling.tally.state(&telling.database, "SELECT COUNT(*) FROM notifications").await
}
