//! The rows of the read model.

use sqlx::Error;
use throughline::sqlx::{inbox, outbox::OutboxError};

use crate::services::{
    Failure,
    database::{Database, Row, sql, sql_of},
    mqtt::Message,
    order::Order,
};

/// How many orders of a user are recent.
const RECENT_MAX: i64 = 10;

pub(super) const SCHEMA: [&str; 2] = [
    "CREATE TABLE IF NOT EXISTS recent_orders \
     (order_id BIGINT PRIMARY KEY, user_id BIGINT NOT NULL, item TEXT NOT NULL, event_at BIGINT NOT NULL)",
    "CREATE INDEX IF NOT EXISTS recent_orders_of_users ON recent_orders (user_id, order_id)",
];

/// The read model's tables. Clones share them.
#[derive(Clone, Debug)]
pub(super) struct Model {
    database: Database,
}

impl Model {
    pub(super) const fn new(database: Database) -> Self {
        Self { database }
    }

    pub(super) const fn database(&self) -> &Database {
        &self.database
    }

    /// Takes an event in, once; false if it was in already.
    pub(super) async fn note(&self, consumer: &str, message: &Message) -> Result<bool, Failure> {
        let order = &message.event.order;
        let mut transaction = self.database.begin().await?;
        if !transaction.first_time(consumer, &message.id).await? {
            return Ok(false);
        }
        let note =
            sql("INSERT INTO recent_orders (order_id, user_id, item, event_at) VALUES ($1, $2, $3, $4)");
        let note = note.integer(order.id).integer(order.user).text(&order.item).integer(message.event.at);
        transaction.execute(note).await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// The latest orders of a user, newest first.
    pub(super) async fn of(&self, user: u32) -> Result<Vec<Order>, Error> {
        let select = sql(
            "SELECT order_id, item FROM recent_orders WHERE user_id = $1 ORDER BY order_id DESC LIMIT $2",
        );
        let rows = self.database.rows(select.integer(user).integer(RECENT_MAX)).await?;
        rows.iter().map(|row: &Row| Ok(Order { id: row.integer(0)?, user, item: row.text(1)? })).collect()
    }

    /// When the newest event happened.
    pub(super) async fn last_event_at(&self) -> Result<Option<i64>, Error> {
        let newest = sql("SELECT event_at FROM recent_orders ORDER BY event_at DESC LIMIT 1");
        self.database.rows_untraced(newest).await?.first().map(|row| row.integer(0)).transpose()
    }

    /// Forgets all orders, and which messages were had: they are new again.
    pub(super) async fn forget_everything(&self, consumer: &str) -> Result<(), OutboxError> {
        let mut transaction = self.database.begin().await?;
        transaction.execute(sql("DELETE FROM recent_orders")).await?;
        let forget = sql_of(format!("DELETE FROM {} WHERE consumer = $1", inbox::TABLE)).text(consumer);
        transaction.execute(forget).await?;
        Ok(transaction.commit().await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{arguments::DatabaseUrl, services::order::OrderEvent};

    fn message(order: i64) -> Message {
        let order = Order { id: order, user: 1, item: "teapot".to_owned() };
        Message { id: format!("m-{}", order.id), event: OrderEvent { at: order.id * 10, order } }
    }

    #[tokio::test]
    async fn an_event_is_taken_in_once_until_everything_is_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let url = DatabaseUrl::Folder(folder.path().to_owned());
        let model = Model::new(Database::open(&url, "recent-orders", &SCHEMA).await.unwrap());
        for order in 1..=12 {
            assert!(model.note("test", &message(order)).await.unwrap());
        }
        assert!(!model.note("test", &message(3)).await.unwrap(), "a duplicate");
        let recent: Vec<_> = model.of(1).await.unwrap().into_iter().map(|order| order.id).collect();
        assert_eq!(recent, (3..=12).rev().collect::<Vec<_>>());
        assert_eq!(model.last_event_at().await.unwrap(), Some(120));

        model.forget_everything("test").await.unwrap();
        assert_eq!((model.of(1).await.unwrap(), model.last_event_at().await.unwrap()), (vec![], None));
        assert!(model.note("test", &message(3)).await.unwrap(), "a replay rebuilds it");
    }
}
