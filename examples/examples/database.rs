//! See each statement of a request: a span with its text, its rows and its wait for a connection.
//!
//! ```text
//! cargo run -p examples --example database
//! ```
//!
//! An order is stored in a transaction in SQLite, stored once more, which the database refuses, and read. You will see a trace for each
//! request:
//!
//! ```text
//! POST /orders
//! ├─ BEGIN
//! ├─ INSERT orders    throughline.db.affected_rows 1
//! └─ COMMIT
//! POST /orders
//! ├─ BEGIN
//! ├─ INSERT orders    error, db.response.status_code 1555: a unique violation; the values are in no span
//! └─ ROLLBACK         of the dropped transaction
//! GET /orders
//! └─ SELECT orders    db.query.text SELECT item FROM orders WHERE customer = ?
//! ```
//!
//! One line is new to who knows sqlx: that with `throughline::sqlx::Pool`. With a Collector at `OTEL_EXPORTER_OTLP_ENDPOINT` you
//! will see the spans there, and the histogram `db.client.operation.duration`.

#![expect(clippy::print_stdout, reason = "says in the end what was exported")]

use std::{error::Error, time::Duration};

use sqlx::{Sqlite, SqlitePool};
use throughline::{Context, core::with_remote, sqlx::Pool};
use tracing::{Instrument, Span, info, info_span, warn};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let telemetry = throughline::init("orders")?;
    let pool = SqlitePool::connect("sqlite::memory:").await?;
    sqlx::query("CREATE TABLE orders (id INTEGER PRIMARY KEY, customer TEXT, item TEXT)")
        .execute(&pool)
        .await?;
    let pool = Pool::from(pool); // from here on, each statement has a span

    for _ in 0..2 {
        if let Err(error) = store(&pool, 7, "ada", "tea").instrument(request("POST /orders")).await {
            warn!(%error, "not stored");
        }
    }
    let items = items_of(&pool, "ada").instrument(request("GET /orders")).await?;
    info!(items = items.len(), "read");
    println!("{}", telemetry.shutdown(Duration::from_secs(5)).await);
    Ok(())
}

/// What the layer of an HTTP server would do.
fn request(name: &str) -> Span {
    with_remote(&Context::root(), || info_span!("request", otel.name = name))
}

async fn store(pool: &Pool<Sqlite>, id: i64, customer: &str, item: &str) -> Result<(), sqlx::Error> {
    let mut transaction = pool.begin().await?;
    sqlx::query("INSERT INTO orders (id, customer, item) VALUES (?, ?, ?)")
        .bind(id)
        .bind(customer)
        .bind(item)
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await
}

async fn items_of(pool: &Pool<Sqlite>, customer: &str) -> Result<Vec<String>, sqlx::Error> {
    sqlx::query_scalar("SELECT item FROM orders WHERE customer = ?").bind(customer).fetch_all(pool).await
}
