//! What a relay of these tests hands its events to.

use std::{
    collections::HashMap,
    fmt, hint,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use sqlx::Pool;
use throughline_core::{Carry, Context};
use throughline_sqlx::outbox::{
    ATTEMPTS_MAX, Backoff, Dialect, LEASE, Order, Outbox, PUBLISH_TIMEOUT, RETENTION, Relay, RelayCounters,
    RelayHandle, StoredEvent,
};
use tokio::{
    sync::{Notify, mpsc, oneshot},
    task::JoinHandle,
    time::timeout,
};
use tracing::Instrument;
use uuid::Uuid;

use super::place::DEADLINE;

/// One attempt, as the recipient saw it.
#[derive(Clone, Debug)]
pub(crate) struct Delivery {
    pub(crate) id: Uuid,
    pub(crate) payload: String,
    pub(crate) attempt: u32,
    pub(crate) replays: u32,
    /// What was current inside the closure.
    pub(crate) context: Context,
}

/// What the recipient does with an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Taken,
    Refused,
    /// It is taken, but that is never said.
    Hangs,
    /// It is taken, and that is said when the test wants it.
    Waits,
    /// It is refused, and that is said when the test wants it.
    RefusesLater,
    /// As `Waits`; then everything stands still for a while.
    Stalls(Duration),
    Panics,
}

/// The recipient is not there, says the recipient.
#[derive(Debug)]
pub(crate) struct Refused;

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("refused, says the recipient")
    }
}

/// Takes events, and does as it was told.
pub(crate) struct Recipient {
    sender: mpsc::UnboundedSender<Delivery>,
    deliveries: mpsc::UnboundedReceiver<Delivery>,
    /// By payload, the answers to the first attempts; what isn't there is taken.
    script: Arc<Mutex<HashMap<String, Vec<Answer>>>>,
    /// Lets the one go on that waits.
    pub(crate) go: Arc<Notify>,
}

impl Recipient {
    pub(crate) fn new() -> Self {
        let (sender, deliveries) = mpsc::unbounded_channel();
        Self { sender, deliveries, script: Arc::default(), go: Arc::default() }
    }

    /// What it answers to the next attempts with this payload.
    pub(crate) fn answers(&self, payload: &str, answers: impl IntoIterator<Item = Answer>) {
        self.script.lock().unwrap().insert(payload.to_owned(), answers.into_iter().collect());
    }

    /// The next attempt.
    pub(crate) async fn next(&mut self) -> Delivery {
        timeout(DEADLINE, self.deliveries.recv()).await.expect("a delivery in time").unwrap()
    }

    /// The payloads of so many attempts.
    pub(crate) async fn payloads(&mut self, count: usize) -> Vec<String> {
        let mut payloads = Vec::new();
        while payloads.len() < count {
            payloads.push(self.next().await.payload);
        }
        payloads
    }

    /// Whether nothing has come that wasn't looked at.
    pub(crate) fn is_quiet(&self) -> bool {
        self.deliveries.is_empty()
    }

    /// Starts a relay that hands its events to this recipient.
    pub(crate) fn relay<DB: Dialect>(
        &self,
        pool: &Pool<DB>,
        outbox: &Outbox<DB>,
        settings: Settings,
    ) -> Running {
        let (sender, script, go) = (self.sender.clone(), Arc::clone(&self.script), Arc::clone(&self.go));
        let publish = async move |event: &StoredEvent| {
            take(event, &sender, &script, &go).instrument(tracing::info_span!("publish")).await
        };
        let relay = Relay::builder(pool.clone(), outbox, publish)
            .poll_interval(settings.poll_interval)
            .publish_timeout(settings.publish_timeout)
            .lease(settings.lease)
            .attempts_max(settings.attempts_max)
            .backoff(settings.backoff)
            .order(settings.order)
            .retention(settings.retention)
            .dead(move |event| {
                settings.dead.iter().for_each(|dead| dead.send(event.id()).unwrap_or_default())
            })
            .build()
            .unwrap();
        let handle = relay.handle();
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(relay.run(async { stopped.await.unwrap_or_default() }).carry());
        Running { task, stop, handle }
    }
}

async fn take(
    event: &StoredEvent,
    sender: &mpsc::UnboundedSender<Delivery>,
    script: &Mutex<HashMap<String, Vec<Answer>>>,
    go: &Notify,
) -> Result<(), Refused> {
    let payload = String::from_utf8_lossy(event.payload()).into_owned();
    let answer = next_answer(script, &payload);
    let delivery = Delivery {
        id: event.id(),
        payload,
        attempt: event.attempt(),
        replays: event.replays(),
        context: Context::current(),
    };
    sender.send(delivery).unwrap_or_default();
    match answer {
        Answer::Taken => Ok(()),
        Answer::Refused => Err(Refused),
        Answer::Hangs => std::future::pending().await,
        Answer::Waits => {
            go.notified().await;
            Ok(())
        }
        Answer::RefusesLater => {
            go.notified().await;
            Err(Refused)
        }
        Answer::Stalls(time) => {
            go.notified().await;
            let started = Instant::now();
            while started.elapsed() <= time {
                hint::spin_loop();
            }
            Ok(())
        }
        Answer::Panics => panic!("the closure panics, as it was told"),
    }
}

/// A relay in a hurry.
pub(crate) struct Settings {
    pub(crate) poll_interval: Duration,
    pub(crate) publish_timeout: Duration,
    pub(crate) lease: Duration,
    pub(crate) attempts_max: u32,
    pub(crate) backoff: Backoff,
    pub(crate) order: Order,
    pub(crate) retention: Duration,
    pub(crate) dead: Option<mpsc::UnboundedSender<Uuid>>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            poll_interval: Duration::from_millis(10),
            publish_timeout: PUBLISH_TIMEOUT,
            lease: LEASE,
            attempts_max: ATTEMPTS_MAX,
            backoff: Backoff::new(Duration::from_millis(1), Duration::from_millis(4)),
            order: Order::default(),
            retention: RETENTION,
            dead: None,
        }
    }
}

fn next_answer(script: &Mutex<HashMap<String, Vec<Answer>>>, payload: &str) -> Answer {
    let mut script = script.lock().unwrap();
    let answers = script.get_mut(payload).filter(|answers| !answers.is_empty());
    answers.map_or(Answer::Taken, |answers| answers.remove(0))
}

/// A relay that runs beside the test.
pub(crate) struct Running {
    task: JoinHandle<RelayCounters>,
    stop: oneshot::Sender<()>,
    pub(crate) handle: RelayHandle,
}

impl Running {
    pub(crate) async fn stop(self) -> RelayCounters {
        self.stop.send(()).ok();
        timeout(DEADLINE, self.task).await.expect("an end in time").unwrap()
    }

    /// As a process that is killed: nothing runs any more, nothing is given back.
    pub(crate) async fn kill(self) {
        self.task.abort();
        assert!(self.task.await.unwrap_err().is_cancelled());
    }
}

/// Waits until `condition` holds.
pub(crate) async fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let holds = async {
        while !condition() {
            tokio::task::yield_now().await;
        }
    };
    timeout(DEADLINE, holds).await.unwrap_or_else(|_| panic!("{what}: not in time"));
}
