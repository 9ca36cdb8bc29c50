//! The outbox on SQLite.

#![cfg(feature = "sqlite")]
#![expect(clippy::unwrap_used, reason = "helpers of tests are tests, too")]

use std::{io, time::Duration};

use sqlx::{Sqlite, SqlitePool, sqlite::SqliteConnectOptions};
use throughline_sqlx::outbox::{Event, Outbox, Relay, StoredEvent};
use throughline_testing::Capture;
use tokio::sync::oneshot;
use tracing::Instrument;

async fn pool(folder: &tempfile::TempDir) -> SqlitePool {
    let options =
        SqliteConnectOptions::new().filename(folder.path().join("orders.db")).create_if_missing(true);
    SqlitePool::connect_with(options).await.unwrap()
}

#[tokio::test]
async fn smoke() {
    let capture = Capture::new("orders");
    let _guard = capture.install();
    let folder = tempfile::tempdir().unwrap();
    let pool = pool(&folder).await;
    let outbox = Outbox::<Sqlite>::new();
    outbox.create_tables(&pool).await.unwrap();
    async {
        let mut transaction = pool.begin().await.unwrap();
        outbox.store(&mut transaction, Event::new("order.created", "7")).await.unwrap();
        transaction.commit().await.unwrap();
    }
    .instrument(tracing::info_span!("POST /orders"))
    .await;
    let (stop, stopped) = oneshot::channel();
    let stop = std::sync::Mutex::new(Some(stop));
    let publish = async |event: &StoredEvent| {
        tracing::info!(topic = event.topic(), "publishing");
        async {}.instrument(tracing::info_span!("publish")).await;
        stop.lock().unwrap().take().unwrap().send(()).unwrap();
        Ok::<_, io::Error>(())
    };
    let relay =
        Relay::builder(pool, &outbox, publish).poll_interval(Duration::from_millis(10)).build().unwrap();
    let counters = relay.run(async { stopped.await.unwrap() }).await;
    assert_eq!(counters.relayed, 1);
    assert_eq!(capture.tree(), "");
}

#[tokio::test]
async fn a_relay_can_be_spawned() {
    let folder = tempfile::tempdir().unwrap();
    let pool = pool(&folder).await;
    let outbox = Outbox::<Sqlite>::new();
    let client = std::sync::Arc::new(tokio::sync::Mutex::new(0));
    let publish = async move |event: &StoredEvent| {
        *client.lock().await += event.payload().len();
        Ok::<_, io::Error>(())
    };
    let relay = Relay::builder(pool, &outbox, publish).build().unwrap();
    tokio::spawn(relay.run(async {})).await.unwrap();
}
