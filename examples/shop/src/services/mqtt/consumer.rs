//! Taking messages from the broker: several are handled at once, and acknowledged in the order in which they came.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use futures_util::future::OptionFuture;
use rumqttc::v5::{
    AsyncClient, MqttOptions,
    mqttbytes::{QoS, v5::Publish},
};
use throughline::messaging::mqtt::Subscriber;
use tokio::{task::JoinHandle, time::timeout};
use tracing::warn;

use super::{
    EventPublisher, Handler,
    attempts::{Attempts, Settled},
    link::Link,
};
use crate::services::{Failure, host::Host, stop::Stop};

/// How many messages are handled at once.
const HANDLED_AT_ONCE_MAX: usize = 8;
/// How long the broker may take to confirm a subscription.
const SUBSCRIBE_TIMEOUT: Duration = Duration::from_secs(5);
/// How long to wait before connecting again.
const RECONNECT_DELAY: Duration = Duration::from_millis(200);
/// How long the broker keeps what comes in while this service is away, in seconds.
const SESSION_EXPIRY_S: u32 = 3_600;
/// How long the last messages may take when the service ends.
const PATIENCE: Duration = Duration::from_secs(5);

/// A subscription to one topic.
pub(in crate::services) struct Consumer<H> {
    options: MqttOptions,
    topic: &'static str,
    attempts: Arc<Attempts<H>>,
    link: Link,
    stop: Stop,
}

impl<H: Handler> Consumer<H> {
    /// Subscribes: from now on no message is missed.
    pub(in crate::services) async fn subscribe(
        host: &Host,
        topic: &'static str,
        handler: H,
        dead_letters: Arc<EventPublisher>,
    ) -> Result<Self, Failure> {
        let mut options = host.settings().broker()?.options(&host.settings().name());
        options
            .set_manual_acks(true)
            .set_clean_start(false)
            .set_session_expiry_interval(Some(SESSION_EXPIRY_S));
        let attempts = Attempts {
            subscriber: Subscriber::new(&options),
            handler,
            faults: Arc::clone(host.faults()),
            dead_letters,
        };
        let link = subscribe(&options, topic).await?;
        let stop = host.stop().clone();
        Ok(Self { options, topic, attempts: Arc::new(attempts), link, stop })
    }

    /// Handles what comes until the service is to end, on one connection after the other.
    pub(in crate::services) async fn run(mut self) -> Result<(), Failure> {
        while self.work().await == Next::Reconnect {
            let again = async {
                loop {
                    tokio::time::sleep(RECONNECT_DELAY).await;
                    match subscribe(&self.options, self.topic).await {
                        Ok(link) => return link,
                        Err(error) => warn!(error = &*error, "no connection to the broker"),
                    }
                }
            };
            tokio::select! {
                link = again => self.link = link,
                () = self.stop.wait() => return Ok(()),
            }
        }
        Ok(())
    }

    async fn work(&mut self) -> Next {
        let mut under_way = UnderWay::default();
        let stop = self.stop.clone();
        let mut stopping = std::pin::pin!(stop.wait());
        let next = loop {
            tokio::select! {
                () = &mut stopping => break Next::End,
                message = self.link.incoming.recv(), if under_way.has_room() => match message {
                    None => break Next::Reconnect,
                    Some(message) => under_way.begin(Arc::clone(&self.attempts), message),
                },
                Some(message) = under_way.first_settled() => self.acknowledge(&message).await,
            }
        };
        // The rest is redelivered if it isn't acknowledged: that is for the inbox to find out.
        let rest = async {
            while let Some(message) = under_way.first_settled().await {
                self.acknowledge(&message).await;
            }
        };
        if next == Next::End && timeout(PATIENCE, rest).await.is_err() {
            warn!(?PATIENCE, "messages are still being handled");
        }
        next
    }

    /// Says to the broker that the message need not come again: its work is done by now.
    async fn acknowledge(&self, message: &Publish) {
        if let Err(error) = self.link.client.ack(message).await {
            warn!(%error, "message not acknowledged");
        }
    }
}

/// What comes after a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    Reconnect,
    End,
}

/// The messages that are being handled, in the order in which they came. MQTT wants them acknowledged in that order, too.
#[derive(Default)]
struct UnderWay(VecDeque<JoinHandle<Settled>>);

impl UnderWay {
    fn has_room(&self) -> bool {
        self.0.len() < HANDLED_AT_ONCE_MAX
    }

    fn begin<H: Handler>(&mut self, attempts: Arc<Attempts<H>>, message: Publish) {
        self.0.push_back(tokio::spawn(async move { attempts.settle(message).await }));
    }

    /// Waits for the first of them; `None` when there is none, or when it came to no end.
    ///
    /// # Cancel safety
    /// Nothing is lost.
    async fn first_settled(&mut self) -> Option<Publish> {
        let settled = OptionFuture::from(self.0.front_mut()).await?;
        self.0.pop_front();
        match settled {
            Ok(Settled(message)) => Some(message),
            Err(error) => {
                warn!(%error, "message not settled");
                None
            }
        }
    }
}

async fn subscribe(options: &MqttOptions, topic: &str) -> Result<Link, Failure> {
    let mut link = Link::connect(options.clone()).await?;
    subscribe_on(&link.client, topic).await?;
    let confirmed = timeout(SUBSCRIBE_TIMEOUT, link.wait(|taken| taken.subscriptions > 0)).await;
    match confirmed {
        Ok(Ok(())) => Ok(link),
        Ok(Err(_)) | Err(_) => Err(format!("no subscription to {topic}").into()),
    }
}

async fn subscribe_on(client: &AsyncClient, topic: &str) -> Result<(), Failure> {
    Ok(client.subscribe(topic, QoS::AtLeastOnce).await?)
}
