//! The outbox and the inbox on real servers: the same contract that SQLite keeps.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

#[macro_use]
#[path = "../../crates/throughline-sqlx/tests/outbox_contract/mod.rs"]
mod outbox_contract;

use tests::Database;

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
