//! Counts what is sold, by item.

use axum::{Json, Router, extract::State, routing::get};
use serde_json::Value;
use throughline::http::Problem;
use tracing::info;

use super::{
    Failure, Host,
    database::{Database, sql},
    mqtt::{Consumer, EventPublisher, Handled, Handler, Message},
    order::ORDER_CREATED,
    tally::Tally,
};

const NAME: &str = "analytics";
const SCHEMA: [&str; 1] =
    ["CREATE TABLE IF NOT EXISTS sales (item TEXT PRIMARY KEY, orders BIGINT NOT NULL)"];

pub(super) async fn serve(host: &Host) -> Result<(), Failure> {
    let database = Database::open(host.settings().database()?, NAME, &SCHEMA).await?;
    let counting = Counting { database, tally: Tally::default() };
    let dead_letters = EventPublisher::connect(host).await?;
    let consumer = Consumer::subscribe(host, ORDER_CREATED, counting.clone(), dead_letters).await?;
    let routes = Router::new().route("/internal/state", get(state)).with_state(counting);
    tokio::try_join!(host.listen(routes, throughline::http::server()), consumer.run())?;
    Ok(())
}

#[derive(Clone, Debug)]
struct Counting {
    database: Database,
    tally: Tally,
}

impl Handler for Counting {
    async fn handle(&self, message: &Message) -> Result<Handled, Failure> {
        let order = &message.event.order;
        let mut transaction = self.database.begin().await?;
        if !transaction.first_time(NAME, &message.id).await? {
            return Ok(self.tally.duplicate());
        }
        let count = sql("INSERT INTO sales (item, orders) VALUES ($1, 1) \
                         ON CONFLICT (item) DO UPDATE SET orders = sales.orders + 1");
        transaction.execute(count.text(&order.item)).await?;
        transaction.commit().await?;
        info!(order.id, order.item, "sale counted");
        Ok(Handled::Done)
    }
}

async fn state(State(counting): State<Counting>) -> Result<Json<Value>, Problem> {
    let orders = "SELECT CAST(COALESCE(SUM(orders), 0) AS BIGINT) FROM sales";
    counting.tally.state(&counting.database, orders).await
}
