//! An outbox in a database in memory: an event that is refused once, then relayed, and replayed; one that is dead; and a consumer
//! that has each of them once.

use std::{io, sync::Mutex, time::Duration};

use sqlx::{Sqlite, sqlite::SqlitePoolOptions};
use throughline_sqlx::{
    inbox::Inbox,
    outbox::{Backoff, Event, Outbox, Relay, Replay, StoredEvent},
};
use tokio::sync::mpsc;

const DEADLINE: Duration = Duration::from_secs(10);

pub(crate) async fn run() {
    // Each connection would have a database of its own.
    let pool = SqlitePoolOptions::new().max_connections(1).connect("sqlite::memory:").await.unwrap();
    let (outbox, inbox) = (Outbox::<Sqlite>::new(), Inbox::<Sqlite>::new());
    outbox.create_tables(&pool).await.unwrap();
    inbox.create_tables(&pool).await.unwrap();
    let mut connection = pool.acquire().await.unwrap();
    outbox.store(&mut connection, Event::new("order.lost", "0")).await.unwrap();
    outbox.store(&mut connection, Event::new("order.created", "7").key("order-7")).await.unwrap();
    outbox.store(&mut connection, Event::new("", "")).await.unwrap_err();
    drop(connection);

    let (relayed, mut arrived) = mpsc::unbounded_channel();
    let refusals = Mutex::new(1);
    let publish = async move |event: &StoredEvent| {
        let left: u32 = *refusals.lock().unwrap();
        if event.topic() == "order.lost" || left > 0 {
            *refusals.lock().unwrap() = left.saturating_sub(u32::from(event.topic() != "order.lost"));
            return Err(io::Error::from(io::ErrorKind::NotConnected));
        }
        relayed.send(event.id()).unwrap();
        Ok(())
    };
    let relay = Relay::builder(pool.clone(), &outbox, publish)
        .attempts_max(2)
        .backoff(Backoff::new(Duration::from_millis(1), Duration::from_millis(1)))
        .build()
        .unwrap();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let relaying = tokio::spawn(relay.run(async { drop(stopped.await) }));
    for replayed in [false, true] {
        let id = tokio::time::timeout(DEADLINE, arrived.recv()).await.unwrap().unwrap().to_string();
        let mut transaction = pool.begin().await.unwrap();
        let first = inbox.first_time(&mut transaction, "fulfilment", &id).await.unwrap();
        transaction.commit().await.unwrap();
        assert_ne!(first, replayed);
        if !replayed {
            outbox.replay(&pool, Replay::event(id.parse().unwrap())).await.unwrap();
        }
    }
    stop.send(()).unwrap();
    let counters = relaying.await.unwrap();
    assert_eq!((counters.relayed, counters.dead), (2, 1));
}
