//! Tell others exactly what was written: an outbox in SQLite, a relay, and a consumer that does its work once.
//!
//! ```text
//! cargo run -p examples --example outbox
//! ```
//!
//! An order is written and its event stored in one transaction. The broker, a channel here, is away for the first attempt and
//! gets the event twice with the second. You will see one trace, whose lines all have the order's correlation id, and `shipped`
//! once:
//!
//! ```text
//! POST /orders
//! └─ create order.created             in the transaction of the order
//!    ├─ relay order.created           throughline.outbox.attempt 1, the broker is away
//!    └─ relay order.created           throughline.outbox.attempt 2
//!       ├─ send order.created
//!       │  └─ process order.created   throughline.inbox.result first: shipped
//!       └─ send order.created
//!          └─ process order.created   throughline.inbox.result duplicate
//! ```

#![expect(clippy::print_stdout, reason = "says in the end what was exported")]

use std::{
    error::Error,
    io,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use sqlx::{Sqlite, SqlitePool, sqlite::SqlitePoolOptions};
use throughline::{
    Context,
    core::with_remote,
    messaging::channel::{self, Receiver, Sender},
    sqlx::{
        inbox::Inbox,
        outbox::{Event, Outbox, Relay, StoredEvent},
    },
};
use tokio::sync::oneshot;
use tracing::{Instrument, info, info_span};

struct Message {
    id: String,
    order: Vec<u8>,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let telemetry = throughline::init("orders")?;
    // Each connection would have a database of its own: it is in memory.
    let pool = SqlitePoolOptions::new().max_connections(1).connect("sqlite::memory:").await?;
    sqlx::query("CREATE TABLE orders (id INTEGER PRIMARY KEY)").execute(&pool).await?;
    let (outbox, inbox) = (Outbox::<Sqlite>::new(), Inbox::<Sqlite>::new());
    outbox.create_tables(&pool).await?;
    inbox.create_tables(&pool).await?;

    let (broker, incoming) = channel::channel("order.created", 64);
    let is_away = AtomicBool::new(true);
    let publish = async move |event: &StoredEvent| publish(&broker, &is_away, event).await;
    let (stop, stopped) = oneshot::channel();
    let relay = Relay::builder(pool.clone(), &outbox, publish).build()?;
    let relaying = tokio::spawn(relay.run(async { stopped.await.unwrap_or_default() }));
    let shipping = tokio::spawn(ship_all(pool.clone(), inbox, incoming));

    // Stands for a request; with throughline's layer, a handler is inside one already.
    let request = with_remote(&Context::root(), || info_span!("POST /orders"));
    order(&pool, &outbox, 7).instrument(request).await?;
    shipping.await??;
    drop(stop);
    println!("{:?}", relaying.await?);
    println!("{}", telemetry.shutdown(Duration::from_secs(5)).await);
    Ok(())
}

/// Both are there after the commit, or neither.
async fn order(pool: &SqlitePool, outbox: &Outbox<Sqlite>, id: i64) -> Result<(), Box<dyn Error>> {
    let mut transaction = pool.begin().await?;
    sqlx::query("INSERT INTO orders (id) VALUES (?)").bind(id).execute(&mut *transaction).await?;
    outbox.store(&mut transaction, Event::new("order.created", id.to_string())).await?;
    transaction.commit().await?;
    outbox.wake();
    info!(id, "order accepted");
    Ok(())
}

/// What your broker's client does here is a child of the `relay` span.
async fn publish(broker: &Sender<Message>, is_away: &AtomicBool, event: &StoredEvent) -> io::Result<()> {
    if is_away.swap(false, Ordering::Relaxed) {
        return Err(io::ErrorKind::NotConnected.into());
    }
    for _ in ["once", "twice"] {
        let message = Message { id: event.id().to_string(), order: event.payload().to_vec() };
        broker.send(message).await.map_err(io::Error::other)?;
    }
    Ok(())
}

/// The work of a message and the note that it was done are one transaction, too.
async fn ship_all(
    pool: SqlitePool,
    inbox: Inbox<Sqlite>,
    mut incoming: Receiver<Message>,
) -> Result<(), String> {
    for _ in ["once", "twice"] {
        let delivery = incoming.recv().await.ok_or("the relay is gone")?;
        delivery
            .process(async |message| ship(&pool, &inbox, message).await.map_err(|error| error.to_string()))
            .await?;
    }
    Ok(())
}

async fn ship(pool: &SqlitePool, inbox: &Inbox<Sqlite>, message: Message) -> Result<(), Box<dyn Error>> {
    let mut transaction = pool.begin().await?;
    if inbox.first_time(&mut transaction, "shipping", &message.id).await? {
        info!(order = %String::from_utf8_lossy(&message.order), "shipped");
    }
    transaction.commit().await?;
    Ok(())
}
