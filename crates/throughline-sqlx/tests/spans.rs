//! Spans of statements, on SQLite: the contract that every database keeps, and what only a file or a memory has.

#![cfg(feature = "sqlite")]
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

mod spans_contract;

use std::time::Duration;

use spans_contract::{Expected, Place};
use sqlx::{
    Sqlite,
    sqlite::{SqliteConnectOptions, SqlitePoolOptions},
};

const TIMEOUT: Duration = Duration::from_millis(200);

fn place(options: SqliteConnectOptions, kind: &'static str, namespace: Option<&str>) -> Place<Sqlite> {
    let pool = |connections| SqlitePoolOptions::new().max_connections(connections);
    Place {
        pool: pool(2).connect_lazy_with(options.clone()),
        narrow: pool(1).acquire_timeout(TIMEOUT).connect_lazy_with(options),
        expected: Expected {
            kind,
            system: "sqlite",
            namespace: namespace.map(str::to_owned),
            address: None,
            port: None,
            binds: ["?", "?"],
            duplicate: "1555",
            own_text: None,
        },
    }
}

#[tokio::test]
async fn a_file_keeps_the_contract() {
    let folder = tempfile::tempdir().unwrap();
    let options =
        SqliteConnectOptions::new().filename(folder.path().join("orders.db")).create_if_missing(true);
    let place = place(options, "client", Some("orders.db"));
    spans_contract::keeps(&place).await;
    spans_contract::keeps_its_cache(&place).await;
}

#[tokio::test]
async fn memory_keeps_the_contract() {
    let place = place("sqlite::memory:".parse().unwrap(), "internal", None);
    spans_contract::keeps(&place).await;
    spans_contract::keeps_its_cache(&place).await;
}
