//! What each service has counted, once every event has got where it was to go.

use std::{
    error::Error,
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::{
    arguments::Service,
    demo::{fleet::Word, stage::Stage},
};

/// How long the last event may take.
const SETTLE_TIMEOUT: Duration = Duration::from_secs(60);
/// How often the services are asked.
const ASK_PERIOD: Duration = Duration::from_millis(100);

/// Who counts orders, and what an order is to them.
const COUNTS: [(Service, &str); 4] = [
    (Service::Fulfilment, "packed"),
    (Service::Notifications, "notified"),
    (Service::RecentOrders, "read model"),
    (Service::Analytics, "analytics"),
];

/// Numbers of orders.
#[derive(Clone, Debug, Default)]
pub(super) struct Settled {
    pub(super) database: u64,
    /// Events that were not sent.
    pub(super) waiting: u64,
    /// Events that a consumer has given up.
    pub(super) dead: u64,
    /// What each consumer has counted: what it is to it, how many, how many messages it knew already.
    pub(super) consumers: Vec<(&'static str, u64, u64)>,
}

/// Asks until all agree, or for as long as that may take: whether they agree is for others to judge.
pub(super) async fn wait(stage: &Stage) -> Result<Settled, Box<dyn Error>> {
    let since = Instant::now();
    loop {
        let settled = ask(stage).await?;
        if settled.agrees() || since.elapsed() >= SETTLE_TIMEOUT {
            return Ok(settled);
        }
        tokio::time::sleep(ASK_PERIOD).await;
    }
}

/// What they have counted until now.
pub(super) async fn ask(stage: &Stage) -> Result<Settled, Box<dyn Error>> {
    let orders = state(stage, Service::Orders).await?;
    let mut settled = Settled {
        database: number(&orders, "/orders"),
        waiting: number(&orders, "/outbox/waiting"),
        dead: COUNTS.iter().map(|(service, _)| dead_letters(stage, *service)).sum(),
        consumers: Vec::new(),
    };
    for (service, word) in COUNTS {
        let state = state(stage, service).await?;
        settled.consumers.push((word, number(&state, "/orders"), number(&state, "/duplicates")));
    }
    Ok(settled)
}

async fn state(stage: &Stage, service: Service) -> Result<Value, Box<dyn Error>> {
    let addresses = stage.fleet.addresses(service);
    let address = addresses.first().ok_or_else(|| format!("no {} runs any more", service.name()))?;
    stage.control.state(*address).await
}

fn dead_letters(stage: &Stage, service: Service) -> u64 {
    stage.fleet.ledger().read(|said| said.total(service, Word::Dead))
}

fn number(state: &Value, path: &str) -> u64 {
    state.pointer(path).and_then(Value::as_u64).unwrap_or_default()
}

impl Settled {
    /// What has come since those numbers.
    pub(super) fn since(mut self, before: &Self) -> Self {
        self.database = self.database.saturating_sub(before.database);
        for (now, then) in self.consumers.iter_mut().zip(&before.consumers) {
            now.1 = now.1.saturating_sub(then.1);
            now.2 = now.2.saturating_sub(then.2);
        }
        self
    }

    fn agrees(&self) -> bool {
        self.waiting == 0 && self.consumers.iter().all(|(_, orders, _)| *orders == self.database)
    }
}
