//! Spans of statements on real servers: the same contract that SQLite keeps.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

#[path = "../../crates/throughline-sqlx/tests/spans_contract/mod.rs"]
mod spans_contract;

use std::time::Duration;

use spans_contract::{Expected, Place};
use sqlx::{IntoArguments, MySql, Pool, Postgres, pool::PoolOptions};
use tests::Database;
use throughline_core::Filters;
use throughline_sqlx::System;
use throughline_testing::Capture;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;

const TIMEOUT: Duration = Duration::from_millis(500);

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
    what_happens_on_the_way_belongs_to_the_statement::<Postgres>(server.url()).await;
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
    what_happens_on_the_way_belongs_to_the_statement::<MySql>(server.url()).await;
}

/// What the driver logs, and what a hook of the pool does, is inside the span of the statement that needed it.
async fn what_happens_on_the_way_belongs_to_the_statement<DB>(url: &str)
where
    DB: System,
    DB::Arguments: IntoArguments<DB>,
{
    let options = PoolOptions::<DB>::new().after_connect(|_, _| {
        Box::pin(async {
            tracing::info_span!("hook").in_scope(|| tracing::info!("connected"));
            Ok(())
        })
    });
    let pool = throughline_sqlx::Pool::from(options.connect_lazy(url).unwrap());
    let (lines, spans) =
        (Targets::new().with_default(LevelFilter::DEBUG), Targets::new().with_default(LevelFilter::INFO));
    let capture = Capture::builder("orders").filters(Filters::new(lines, spans)).build();
    capture.run_async(sqlx::query::<DB>("SELECT 1").execute(&pool)).await.unwrap();
    assert_eq!(capture.tree(), "orders: SELECT (client) #1\n  orders: hook (internal) #2");
    let id = capture.span("SELECT").span_id.to_string();
    let of_driver =
        |line: &serde_json::Value| line["target"] == "sqlx::query" && line["summary"] == "SELECT 1";
    let lines = capture.lines();
    let line = lines.iter().find(|line| of_driver(line)).unwrap_or_else(|| panic!("{lines:#?}"));
    assert_eq!(line["span_id"], id.as_str(), "{line}");
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
