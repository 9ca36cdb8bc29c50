//! One connection to the broker, for as long as it lasts.
//!
//! The client of `rumqttc` would restore a connection by itself and send on it what was under way before. What is under way is in
//! the outbox here, or not acknowledged: each connection has a client of its own, and nothing of the one before gets into it.

use std::time::Duration;

use rumqttc::v5::{
    AsyncClient, Event, EventLoop, MqttOptions,
    mqttbytes::v5::{Packet, Publish},
};
use throughline::messaging::mqtt;
use tokio::{
    sync::{mpsc, watch},
    task::JoinHandle,
};
use tracing::warn;

use crate::{broker::INFLIGHT_MAX, services::Failure};

/// How long the broker may take to accept a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How many requests to the broker may wait.
const REQUESTS_MAX: usize = 64;

/// A connection; closed when dropped.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) client: AsyncClient,
    /// How many messages of ours the broker has taken, and how many subscriptions.
    pub(super) taken: watch::Receiver<Taken>,
    /// What has come in; ends with the connection.
    pub(super) incoming: mpsc::Receiver<Publish>,
    driver: JoinHandle<()>,
}

/// What the broker has confirmed on a connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Taken {
    pub(super) messages: u64,
    pub(super) subscriptions: u64,
}

impl Link {
    pub(super) async fn connect(options: MqttOptions) -> Result<Self, Failure> {
        let (client, events) = mqtt::connect(options, REQUESTS_MAX, CONNECT_TIMEOUT).await?;
        let (taken, is_taken) = watch::channel(Taken::default());
        // As many as the broker sends before it waits for an acknowledgement: the event loop is never held up.
        let (received, incoming) = mpsc::channel(INFLIGHT_MAX);
        let driver = tokio::spawn(drive(events, taken, received));
        Ok(Self { client, taken: is_taken, incoming, driver })
    }

    pub(super) fn is_alive(&self) -> bool {
        !self.driver.is_finished()
    }

    /// Waits until the broker has confirmed this.
    pub(super) async fn wait(&mut self, what: impl FnMut(&Taken) -> bool) -> Result<(), Lost> {
        self.taken.wait_for(what).await.map(|_| ()).map_err(|_| Lost)
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

/// The connection went before the broker had its say.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lost;

/// Keeps the connection going until it breaks.
async fn drive(mut events: EventLoop, taken: watch::Sender<Taken>, received: mpsc::Sender<Publish>) {
    loop {
        match events.poll().await {
            Ok(Event::Incoming(Packet::PubAck(_))) => taken.send_modify(|taken| taken.messages += 1),
            Ok(Event::Incoming(Packet::SubAck(_))) => taken.send_modify(|taken| taken.subscriptions += 1),
            Ok(Event::Incoming(Packet::Publish(message))) => {
                if received.send(message).await.is_err() {
                    return;
                }
            }
            Ok(_) => {}
            Err(error) => {
                warn!(%error, "broker lost");
                return;
            }
        }
    }
}
