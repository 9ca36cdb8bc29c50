//! Spans of statements, on SQLite: the contract that every database keeps, and what only a file or a memory has.

#![cfg(feature = "sqlite")]
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

mod spans_contract;

use std::time::Duration;

use spans_contract::{Expected, Place};
use sqlx::{
    ConnectOptions, Executor, SqlSafeStr, Sqlite, SqlitePool, Statement,
    sqlite::{SqliteConnectOptions, SqlitePoolOptions},
};
use throughline_core::{Context, Filters, Metric, SpanExt};
use throughline_sqlx::{Connection, Pool, Settings};
use throughline_testing::{
    Capture, TreeText,
    collector::{AttributeValue, Status},
};
use tracing::{Instrument, level_filters::LevelFilter};
use tracing_subscriber::filter::Targets;

const TIMEOUT: Duration = Duration::from_millis(500);

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

async fn memory() -> SqlitePool {
    // One connection: another would see nothing of what this one has just written.
    SqlitePoolOptions::new().max_connections(1).connect("sqlite::memory:").await.unwrap()
}

#[tokio::test]
async fn a_connection_of_ones_own_has_spans_too() {
    let options: SqliteConnectOptions = "sqlite::memory:".parse().unwrap();
    let mut plain = options.connect().await.unwrap();
    let capture = Capture::new("orders");
    let work = async {
        let mut connection = Connection::new(&mut plain, &Settings::new(&options));
        sqlx::query("SELECT 1").execute(&mut connection).await.unwrap();
        let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await.unwrap();
        sqlx::query("SELECT 2").execute(&mut *transaction).await.unwrap();
        assert!(transaction.begin_with("BEGIN EXCLUSIVE").await.is_err());
        transaction.commit().await.unwrap();
        sqlx::query("SELECT 3").execute(connection.inner_mut()).await.unwrap();
    };
    capture.run_async(work).await;
    let text = TreeText::new().attributes(["db.query.text", "error.type"]);
    assert_eq!(
        capture.tree_with(&text),
        "\
orders: SELECT (internal) #1 db.query.text=SELECT ?
orders: BEGIN (internal) #2 db.query.text=BEGIN IMMEDIATE
orders: SELECT (internal) #3 db.query.text=SELECT ?
orders: BEGIN (internal) #4 error db.query.text=BEGIN EXCLUSIVE error.type=sqlx::Error::InvalidSavePointStatement
orders: COMMIT (internal) #5 db.query.text=COMMIT"
    );
}

#[tokio::test]
async fn a_statement_that_is_given_up_while_it_waits_was_cancelled() {
    let pool = Pool::from(memory().await);
    let _only = pool.acquire().await.unwrap();
    let capture = Capture::new("orders");
    let mut waiting = Box::pin(capture.run_async(sqlx::query("SELECT 1").execute(&pool)));
    assert!(futures_util::poll!(&mut waiting).is_pending());
    drop(waiting);
    let span = capture.span("SELECT");
    let end = span.attribute("throughline.db.end").and_then(AttributeValue::as_str);
    assert_eq!(end, Some("cancelled"));
    assert_eq!(span.status, Status::Unset);
    assert!(capture.total(Metric::DbClientConnectionPendingRequests).abs() < 0.1);
}

/// The statements are the same, metrics are there, and what the driver and its hooks find current is what the caller has.
#[tokio::test]
async fn spans_that_are_filtered_out_leave_the_context_alone() {
    let off =
        Targets::new().with_default(LevelFilter::INFO).with_target("throughline::sqlx", LevelFilter::OFF);
    let capture = Capture::builder("orders").filters(Filters::new(off.clone(), off)).build();
    let (seen, found) = std::sync::mpsc::channel();
    let options = SqlitePoolOptions::new().max_connections(1).after_connect(move |_, _| {
        let seen = seen.clone();
        Box::pin(async move {
            seen.send(Context::current()).unwrap();
            Ok(())
        })
    });
    let pool = Pool::from(options.connect_lazy("sqlite::memory:").unwrap());
    let request = capture.run(|| tracing::info_span!("request"));
    let context = capture.run(|| request.context());
    let work = async { sqlx::query("SELECT 1 UNION SELECT 2").fetch_all(&pool).await.unwrap() };
    let rows = capture.run_async(work.instrument(request)).await;
    assert_eq!(rows.len(), 2);
    assert_eq!(found.recv().unwrap().span(), context.span());
    spans_contract::ended(&capture, 1).await;
    assert_eq!(capture.tree(), "orders: request (internal) #1");
    let measured = capture.measurements(Metric::DbClientOperationDuration);
    assert_eq!(measured[0].attribute("db.query.summary"), Some("SELECT SELECT"));
}

/// Handlers are spawned.
#[tokio::test]
async fn statements_can_run_in_tasks() {
    let pool = Pool::from(memory().await);
    let task = tokio::spawn(async move {
        let mut transaction = pool.begin().await?;
        sqlx::query("SELECT 1").fetch_one(&mut *transaction).await?;
        let mut savepoint = transaction.begin().await?;
        sqlx::query("SELECT 2").fetch_one(savepoint.operation("SELECT", "nothing")).await?;
        savepoint.rollback().await?;
        transaction.commit().await?;
        let mut connection = pool.acquire().await?;
        let prepared = connection.prepare("SELECT 3 + ?".into_sql_str()).await?;
        let sum: i64 = prepared.query_scalar().bind(4).fetch_one(&mut *connection).await?;
        Ok::<_, sqlx::Error>(sum)
    });
    assert_eq!(task.await.unwrap().unwrap(), 7);
}

/// What a caller has prepared has its text on the span, too; with its values left out where they are not bound.
#[tokio::test]
async fn a_prepared_statement_is_told_by_its_text() {
    let pool = Pool::from(memory().await);
    let capture = Capture::new("orders");
    let work = async {
        let prepared = pool.prepare("SELECT 3 + ?".into_sql_str()).await.unwrap();
        let sum: i64 = prepared.query_scalar().bind(4).fetch_one(&pool).await.unwrap();
        assert_eq!(sum, 7);
        let prepared = pool.prepare("SELECT 'hunter2'".into_sql_str()).await.unwrap();
        prepared.query().execute(&pool).await.unwrap();
    };
    capture.run_async(work).await;
    let text = TreeText::new().attributes(["db.query.text"]);
    assert_eq!(
        capture.tree_with(&text),
        "\
orders: SELECT (internal) #1 db.query.text=SELECT 3 + ?
orders: SELECT (internal) #2 db.query.text=SELECT ?"
    );
    throughline_testing::no_secrets(&capture, ["hunter2"]);
}
