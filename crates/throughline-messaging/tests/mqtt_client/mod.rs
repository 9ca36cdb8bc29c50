//! A connection to an MQTT 5 broker, as the contract wants it.

use std::{future::Future, time::Duration};

use rumqttc::v5::{
    AsyncClient, Event, EventLoop, Incoming, MqttOptions,
    mqttbytes::{
        QoS,
        v5::{Publish, PublishProperties},
    },
};
use throughline_core::EdgePolicy;
use throughline_messaging::{
    Processing, Relation,
    mqtt::{self, Publisher, Subscriber},
};
use tokio::{sync::mpsc, task::JoinHandle, time::timeout};

use crate::contract::Broker;

/// How long anything may take that has to do with a broker.
pub(crate) const DEADLINE: Duration = Duration::from_secs(10);
/// Room for the largest baggage and tracestate beside a payload.
const PACKET_LEN_MAX: u32 = 64 * 1024;

/// Publishes to one topic and is subscribed to it.
pub(crate) struct Mqtt {
    topic: String,
    pub(crate) client: AsyncClient,
    publisher: Publisher,
    pub(crate) subscriber: Subscriber,
    messages: mpsc::UnboundedReceiver<Publish>,
    events: JoinHandle<()>,
}

impl Mqtt {
    /// Connects to the broker at `port` of the loopback and subscribes to `topic`.
    pub(crate) async fn connect(port: u16, topic: &str) -> Self {
        Self::connect_as(options(port, topic), topic).await
    }

    pub(crate) async fn connect_as(options: MqttOptions, topic: &str) -> Self {
        let (client, mut events) = mqtt::connect(options.clone(), 64, DEADLINE).await.unwrap();
        client.subscribe(topic, QoS::AtLeastOnce).await.unwrap();
        let subscribed =
            async { while !matches!(events.poll().await.unwrap(), Event::Incoming(Incoming::SubAck(_))) {} };
        timeout(DEADLINE, subscribed).await.expect("the subscription is acknowledged");
        let (arrived, messages) = mpsc::unbounded_channel();
        Self {
            topic: topic.to_owned(),
            publisher: Publisher::new(client.clone(), &options),
            subscriber: Subscriber::new(&options),
            client,
            messages,
            events: tokio::spawn(pass_on(events, arrived)),
        }
    }
}

/// The options of a client of its own.
pub(crate) fn options(port: u16, id: &str) -> MqttOptions {
    let mut options = MqttOptions::new(id.replace('/', "-"), "127.0.0.1", port);
    options.set_max_packet_size(Some(PACKET_LEN_MAX));
    options
}

async fn pass_on(mut events: EventLoop, arrived: mpsc::UnboundedSender<Publish>) {
    loop {
        if let Event::Incoming(Incoming::Publish(message)) = events.poll().await.expect("the broker stays")
            && arrived.send(message).is_err()
        {
            return;
        }
    }
}

impl Drop for Mqtt {
    fn drop(&mut self) {
        self.events.abort();
    }
}

/// The result of `work`, which a broker may keep waiting only so long.
async fn in_time<T>(what: &str, work: impl Future<Output = T>) -> T {
    timeout(DEADLINE, work).await.unwrap_or_else(|_| panic!("{what}: not within {DEADLINE:?}"))
}

impl Broker for Mqtt {
    const SYSTEM: &'static str = "mqtt";
    const SEND: &'static str = "publish";
    const HAS_HEADERS: bool = true;

    type Received = Publish;

    async fn send(&self, body: &str) {
        self.publisher.publish(&self.topic, QoS::AtLeastOnce, false, body).await.unwrap();
    }

    async fn send_raw(&self, headers: &[(&str, &str)], body: &str) {
        let user_properties = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let properties =
            PublishProperties { user_properties: user_properties.collect(), ..Default::default() };
        let sent = self.client.publish_with_properties(
            &self.topic,
            QoS::AtLeastOnce,
            false,
            body.to_owned(),
            properties,
        );
        sent.await.unwrap();
    }

    async fn forward(&self, received: Publish) {
        let properties = received.properties.unwrap_or_default();
        let payload = received.payload;
        self.publisher.publish_with(&self.topic, QoS::AtLeastOnce, false, payload, properties).await.unwrap();
    }

    async fn receive(&mut self) -> Publish {
        in_time("a message", self.messages.recv()).await.expect("the connection stays")
    }

    fn headers(received: &Publish) -> Vec<(String, String)> {
        received.properties.clone().unwrap_or_default().user_properties
    }

    fn body(received: &Publish) -> String {
        String::from_utf8(received.payload.to_vec()).unwrap()
    }

    fn process(&self, received: Publish, relation: Relation, edge: EdgePolicy) -> Processing {
        self.subscriber.clone().relation(relation).edge(edge).process(&received)
    }

    fn process_batch(&self, received: Vec<Publish>) -> Processing {
        self.subscriber.process_batch(&received)
    }
}
