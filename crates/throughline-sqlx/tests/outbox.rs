//! The outbox and the inbox on SQLite, in a file.

#![cfg(feature = "sqlite")]
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests are tests, too")]

mod outbox_contract;

use sqlx::{SqlitePool, sqlite::SqliteConnectOptions};

place!(InFile, sqlx::Sqlite);

#[tokio::test]
async fn sqlite_keeps_the_contract() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("orders.db");
    let options = SqliteConnectOptions::new().filename(path).create_if_missing(true);
    outbox_contract::keeps(&InFile(SqlitePool::connect_with(options).await.unwrap())).await;
}
