//! The outbox and the inbox on SQLite, in a file: the contract, junk in every column, and relays that are killed for good.

#![cfg(feature = "sqlite")]
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests are tests, too")]

mod outbox_contract;

use std::{
    collections::HashSet,
    env, fs,
    io::Write,
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use outbox_contract::{
    Place,
    recipient::{Recipient, Settings, until},
};
use sqlx::{
    SqlitePool,
    sqlite::{SqliteConnectOptions, SqliteJournalMode},
};
use throughline_sqlx::outbox::{Event, Outbox, Relay, StoredEvent};
use throughline_testing::Capture;

place!(InFile, sqlx::Sqlite);

impl InFile {
    async fn at(folder: &Path) -> Self {
        let options = SqliteConnectOptions::new()
            .filename(folder.join(DATABASE))
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal);
        Self(SqlitePool::connect_with(options).await.unwrap())
    }
}

const DATABASE: &str = "orders.db";

#[tokio::test]
async fn sqlite_keeps_the_contract() {
    let folder = tempfile::tempdir().unwrap();
    outbox_contract::keeps(&InFile::at(folder.path()).await).await;
}

#[tokio::test]
async fn a_traced_transaction_holds_write_and_event() {
    let capture = Capture::new("orders");
    let _guard = capture.install();
    let folder = tempfile::tempdir().unwrap();
    let place = InFile::at(folder.path()).await;
    let outbox = place.outbox("traced").await;
    let pool = throughline_sqlx::Pool::new(place.pool().clone());
    outbox.create_tables(&pool).await.unwrap();
    let mut transaction = pool.begin().await.unwrap();
    sqlx::query("CREATE TABLE orders (id INTEGER)").execute(&mut *transaction).await.unwrap();
    outbox.store(transaction.inner_mut(), Event::new("order.created", "7")).await.unwrap();
    transaction.rollback().await.unwrap();
    assert_eq!(outbox.state(&pool).await.unwrap().waiting, 0);
    until("four spans", || capture.spans().len() >= 4).await;
    let names: Vec<_> = capture.spans().iter().map(|span| span.name.clone()).collect();
    assert_eq!(names, ["BEGIN", "CREATE TABLE orders", "create order.created", "ROLLBACK"]);
}

/// SQLite lets anything stand in any column.
#[tokio::test]
async fn junk_in_any_column_stops_nothing() {
    let _guard = outbox_contract::somebody_listens();
    let folder = tempfile::tempdir().unwrap();
    let place = InFile::at(folder.path()).await;
    let columns = [
        "message_id",
        "topic",
        "ordering_key",
        "payload",
        "traceparent",
        "tracestate",
        "baggage",
        "correlation_id",
        "more_context",
        "attempts",
        "replays",
        "stored_at",
        "waiting_since",
        "next_attempt_at",
    ];
    for junk in [
        "X'ff00fe'",
        "'\u{1f980}' || char(0)",
        "''",
        "-9223372036854775808",
        "9223372036854775807",
        "1.5e300",
    ] {
        for column in columns {
            let outbox = place.outbox("junk").await;
            place.stored(&outbox, Event::new("order.created", "junk")).await;
            place.run(&format!("UPDATE junk SET {column} = {junk}")).await;
            place.stored(&outbox, Event::new("order.created", "good")).await;
            let mut recipient = Recipient::new();
            let running = recipient.relay(place.pool(), &outbox, Settings::default());
            while recipient.next().await.payload != "good" {}
            running.stop().await;
            place.run("DROP TABLE junk").await;
        }
    }
}

/// Several processes relay; one after the other is killed, with SIGKILL, in the middle of its work.
#[tokio::test]
async fn relays_that_are_killed_lose_nothing() {
    let _guard = outbox_contract::somebody_listens();
    const EVENTS: usize = 120;
    const KILLS: usize = 3;
    let folder = tempfile::tempdir().unwrap();
    let place = InFile::at(folder.path()).await;
    let outbox = place.outbox("killed").await;
    let mut stored = Vec::new();
    for _ in 0..EVENTS {
        stored.push(place.stored(&outbox, Event::new("order.created", "x")).await.to_string());
    }
    for kill in 1..=KILLS {
        let relay = Process::start(folder.path());
        until("some are delivered", || delivered(folder.path()).len() >= kill * EVENTS / (KILLS + 2)).await;
        drop(relay);
    }
    let relays = [Process::start(folder.path()), Process::start(folder.path())];
    until("all are delivered", || delivered(folder.path()).iter().collect::<HashSet<_>>().len() == EVENTS)
        .await;
    drop(relays);
    let all = delivered(folder.path());
    let mut met = HashSet::new();
    let first_times: Vec<_> = all.iter().filter(|id| met.insert(*id)).cloned().collect();
    assert_eq!(first_times, stored);
    // Each death costs one duplicate at most: what was handed on, and not yet marked.
    assert!(all.len() - EVENTS <= KILLS, "{} duplicates", all.len() - EVENTS);
}

/// What was delivered: whole lines, for the last may be under way.
fn delivered(folder: &Path) -> Vec<String> {
    let text = fs::read_to_string(folder.join(DELIVERED)).unwrap_or_default();
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    whole.lines().map(str::to_owned).collect()
}

const DELIVERED: &str = "delivered";

/// A process of its own, killed when it is dropped.
struct Process(Child);

impl Process {
    fn start(folder: &Path) -> Self {
        let mut command = Command::new(env::current_exe().unwrap());
        command.args(["--ignored", "--exact", "a_process_that_relays"]).current_dir(folder);
        Self(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

/// The other process of the test above: relays what is in its working directory until it is killed.
#[tokio::test]
#[ignore = "only a part of another test"]
async fn a_process_that_relays() {
    if !Path::new(DATABASE).exists() {
        return;
    }
    let place = InFile::at(Path::new("")).await;
    let publish = async |event: &StoredEvent| {
        let mut file = fs::File::options().append(true).create(true).open(DELIVERED)?;
        file.write_all(format!("{}\n", event.id()).as_bytes())
    };
    let outbox = Outbox::named("killed").unwrap();
    let relay = Relay::builder(place.pool().clone(), &outbox, publish)
        .lease(Duration::from_millis(500))
        .publish_timeout(Duration::from_millis(200))
        .poll_interval(Duration::from_millis(10))
        .build()
        .unwrap();
    relay.run(std::future::pending()).await;
}
