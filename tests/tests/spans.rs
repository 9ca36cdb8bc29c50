//! Spans of statements on real servers: the same contract that SQLite keeps.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

#[path = "../../crates/throughline-sqlx/tests/spans_contract/mod.rs"]
mod spans_contract;

use std::time::Duration;

use spans_contract::{Expected, Place};
use sqlx::{MySql, Pool, Postgres, pool::PoolOptions};
use tests::Database;
use throughline_sqlx::System;

const TIMEOUT: Duration = Duration::from_millis(200);

async fn place<DB: System>(url: &str, expected: Expected) -> Place<DB> {
    let pool = |connections| PoolOptions::<DB>::new().max_connections(connections);
    let narrow: Pool<DB> = pool(1).acquire_timeout(TIMEOUT).connect_lazy(url).unwrap();
    Place { pool: pool(2).connect(url).await.unwrap(), narrow, expected }
}

#[tokio::test]
async fn postgres_keeps_the_contract() {
    let Some(server) = Database::postgres("postgres_keeps_the_contract") else { return };
    let expected = Expected {
        kind: "client",
        system: "postgresql",
        binds: ["$1", "$2"],
        duplicate: "23505",
        own_text: Some("SELECT query FROM pg_stat_activity WHERE pid = pg_backend_pid()"),
        ..of_url(server.url())
    };
    let place = place::<Postgres>(server.url(), expected).await;
    spans_contract::keeps(&place).await;
    spans_contract::keeps_its_cache(&place).await;
}

#[tokio::test]
async fn mariadb_keeps_the_contract() {
    let Some(server) = Database::mariadb("mariadb_keeps_the_contract") else { return };
    let expected = Expected {
        kind: "client",
        system: "mariadb",
        binds: ["?", "?"],
        duplicate: "1062",
        own_text: Some("SELECT info FROM information_schema.processlist WHERE id = connection_id()"),
        ..of_url(server.url())
    };
    let place = place::<MySql>(server.url(), expected).await;
    spans_contract::keeps(&place).await;
    spans_contract::keeps_its_cache(&place).await;
}

/// `scheme://user:password@host:port/database?…`, by hand: what the spans say is read from the options.
fn of_url(url: &str) -> Expected {
    let (_, rest) = url.rsplit_once('@').unwrap();
    let (server, rest) = rest.split_once('/').unwrap();
    let (address, port) = server.split_once(':').unwrap();
    let namespace = rest.split('?').next().unwrap();
    Expected {
        kind: "",
        system: "",
        namespace: Some(namespace.to_owned()),
        address: Some(address.to_owned()),
        port: Some(port.parse().unwrap()),
        binds: ["", ""],
        duplicate: "",
        own_text: None,
    }
}
