//! The outbox and the inbox on real servers: the same contract that SQLite keeps.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

#[macro_use]
#[path = "../../crates/throughline-sqlx/tests/outbox_contract/mod.rs"]
mod outbox_contract;

use outbox_contract::{
    Place,
    recipient::{Recipient, Settings, until},
};
use tests::Database;
use throughline_sqlx::outbox::Event;

place!(OnPostgres, sqlx::Postgres);
place!(OnMariadb, sqlx::MySql);

#[tokio::test]
async fn postgres_keeps_the_contract() {
    let Some(server) = Database::postgres("postgres_keeps_the_contract") else { return };
    outbox_contract::keeps(&OnPostgres(sqlx::PgPool::connect(server.url()).await.unwrap())).await;
}

#[tokio::test]
async fn mariadb_keeps_the_contract() {
    let Some(server) = Database::mariadb("mariadb_keeps_the_contract") else { return };
    outbox_contract::keeps(&OnMariadb(sqlx::MySqlPool::connect(server.url()).await.unwrap())).await;
}

#[tokio::test]
async fn a_relay_outlives_its_database_and_ends_without_it() {
    let Some(server) = Database::postgres("a_relay_outlives_its_database_and_ends_without_it") else {
        return;
    };
    let place = OnPostgres(sqlx::PgPool::connect(server.url()).await.unwrap());
    let outbox = place.outbox("outlived").await;
    place.stored(&outbox, Event::new("order.created", "a1")).await;
    let mut recipient = Recipient::new();
    let running = recipient.relay(place.pool(), &outbox, Settings::default());
    recipient.next().await;
    drop(server);
    until("the database is missed", || running.handle.counters().database_failures > 0).await;
    assert_eq!(running.stop().await.relayed, 1);
}
