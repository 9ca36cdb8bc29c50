//! MQTT 5 with `rumqttc`: the context travels in the user properties of a message.
//!
//! Names are written in lower case and read in any. A name that occurs twice is read as the headers' rules have it: two
//! `traceparent` are none, two `baggage` are one list. A sender's correlation id is also the message's correlation data,
//! unless the application has set that: there it serves request and response, and is left alone.
//!
//! ```no_run
//! use rumqttc::v5::{Event, Incoming, MqttOptions, mqttbytes::QoS};
//! use throughline_messaging::mqtt::{self, Publisher, Subscriber};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let options = MqttOptions::new("orders-1", "127.0.0.1", 1883);
//! let subscriber = Subscriber::new(&options);
//! let (client, mut events) = mqtt::connect(options.clone(), 16, std::time::Duration::from_secs(5)).await?;
//! let publisher = Publisher::new(client.clone(), &options);
//! client.subscribe("order/created", QoS::AtLeastOnce).await?;
//!
//! tokio::spawn(async move {
//!     while let Ok(event) = events.poll().await {
//!         let Event::Incoming(Incoming::Publish(message)) = event else { continue };
//!         let processing = subscriber.process(&message);
//!         // A task for each message: the event loop must be polled on meanwhile.
//!         tokio::spawn(processing.run(async move { ship(&message.payload) }));
//!     }
//! });
//!
//! publisher.publish("order/created", QoS::AtLeastOnce, false, "three apples").await?;
//! # Ok(())
//! # }
//! # fn ship(_: &[u8]) -> Result<(), std::fmt::Error> { Ok(()) }
//! ```
//!
//! Limits: a publish span ends when the message is handed to the client's event loop, because `rumqttc` tells nobody
//! about acknowledgements. MQTT 3.1.1 has no place for a context. A client closes its connection when it gets a packet
//! above its limit, 10 KiB with `rumqttc`, and the broker sends that packet again, and again: where it is the context that
//! makes a packet too long, baggage is left out, and tracestate if need be ([`Publisher::packet_len_max`]).

use std::{borrow::Cow, fmt, future::Future, panic::Location, time::Duration};

use rumqttc::v5::{
    AsyncClient, ClientError, ConnectionError, Event, EventLoop, Incoming, MqttOptions,
    mqttbytes::{
        QoS,
        v5::{Publish, PublishProperties},
    },
};
use throughline_core::{Carrier, Pipeline, SpanExt, semconv::own};
use tokio::time::timeout;

use crate::{Edge, Endpoint, Failure, Message, Operation, Outcome, Processing, Relation};

// ---- carrier ----

/// The user properties of a message as a [`Carrier`].
#[derive(Debug)]
pub struct UserProperties<'a>(&'a mut PublishProperties);

impl<'a> UserProperties<'a> {
    /// Reads and writes these properties.
    pub const fn new(properties: &'a mut PublishProperties) -> Self {
        Self(properties)
    }
}

impl Carrier for UserProperties<'_> {
    fn get_all<'a>(&'a self, name: &str, visit: &mut dyn FnMut(&'a [u8])) {
        self.0.user_properties.get_all(name, visit);
    }

    fn set(&mut self, name: &str, value: &str) {
        self.0.user_properties.set(name, value);
    }

    fn remove(&mut self, name: &str) {
        Carrier::remove(&mut self.0.user_properties, name);
    }

    fn names(&self, visit: &mut dyn FnMut(&str)) {
        self.0.user_properties.names(visit);
    }
}

/// Takes the context out of properties that are to be used again, for a message that is a new one.
///
/// Without this, a message that is published with the properties of another one counts as that message sent on: it keeps
/// the context it has.
pub fn forget_context(properties: &mut PublishProperties) {
    let pipeline = Pipeline::current();
    let propagator = pipeline.propagator();
    let mirrored = correlation_id(properties, propagator.correlation_header_name());
    if mirrored.is_some() && mirrored.as_deref().map(str::as_bytes) == properties.correlation_data.as_deref()
    {
        properties.correlation_data = None;
    }
    propagator.clear(&mut properties.user_properties);
}

fn correlation_id(properties: &PublishProperties, header: &str) -> Option<String> {
    let mut found = None;
    properties
        .user_properties
        .get_all(header, &mut |value| found = str::from_utf8(value).ok().map(str::to_owned));
    found
}

// ---- send ----

/// Publishes a message with the current context in it, inside a `publish` span.
///
/// The span knows neither the client's id nor the broker's address: a [`Publisher`] does.
///
/// # Errors
/// As [`Publisher::publish`].
#[track_caller]
pub fn publish(
    client: &AsyncClient,
    topic: impl Into<String>,
    qos: QoS,
    retain: bool,
    payload: impl Into<Vec<u8>>,
) -> impl Future<Output = Result<(), PublishError>> {
    let publisher = Publisher::of(client.clone(), Endpoint::new(SYSTEM));
    let message = Outgoing::new(topic, qos, retain, payload, PublishProperties::default());
    let caller = Location::caller();
    async move { publisher.send(caller, message).await }
}

/// Publishes messages with the current context in them.
#[derive(Clone, Debug)]
#[must_use = "a publisher does nothing until it publishes"]
pub struct Publisher {
    client: AsyncClient,
    endpoint: Endpoint,
    time_limit: Duration,
    packet_len_max: usize,
}

impl Publisher {
    /// A publisher through `client`, which was made with `options`.
    pub fn new(client: AsyncClient, options: &MqttOptions) -> Self {
        let publisher = Self::of(client, endpoint(options));
        match options.max_packet_size() {
            Some(max) => publisher.packet_len_max(max as usize),
            None => publisher,
        }
    }

    const fn of(client: AsyncClient, endpoint: Endpoint) -> Self {
        Self { client, endpoint, time_limit: PUBLISH_TIME_LIMIT, packet_len_max: PACKET_LEN_MAX }
    }

    /// A pattern for topics that contain ids; see [`Endpoint::template`].
    pub fn template(mut self, pattern: &str) -> Self {
        self.endpoint = self.endpoint.template(pattern);
        self
    }

    /// How long to wait while the client's queue is full; [`PUBLISH_TIME_LIMIT`] unless set.
    pub const fn time_limit(mut self, limit: Duration) -> Self {
        self.time_limit = limit;
        self
    }

    /// How long a packet may be that everybody takes: what the client's options say, or [`PACKET_LEN_MAX`], unless set.
    ///
    /// Where a context would make a message longer, its baggage is left out, then its tracestate too; the span's
    /// attribute `throughline.messaging.left_out` says so. A message that is too long by itself is none of our business.
    pub const fn packet_len_max(mut self, bytes: usize) -> Self {
        self.packet_len_max = bytes;
        self
    }

    /// Hands a message to the client's event loop, inside a `publish` span.
    ///
    /// # Errors
    /// When the topic isn't valid, the event loop is gone, or the client's queue stays full because the event loop isn't
    /// polled or finds no broker.
    ///
    /// # Panics
    /// When the client's queue is full and this isn't polled by a tokio runtime with its timer on.
    #[track_caller]
    pub fn publish(
        &self,
        topic: impl Into<String>,
        qos: QoS,
        retain: bool,
        payload: impl Into<Vec<u8>>,
    ) -> impl Future<Output = Result<(), PublishError>> {
        self.publish_with(topic, qos, retain, payload, PublishProperties::default())
    }

    /// The same with properties of the application's own.
    ///
    /// Properties that have a context already, such as those of a message that is sent on, keep it; see
    /// [`forget_context`].
    ///
    /// # Errors
    /// As [`publish`](Self::publish).
    #[track_caller]
    pub fn publish_with(
        &self,
        topic: impl Into<String>,
        qos: QoS,
        retain: bool,
        payload: impl Into<Vec<u8>>,
        properties: PublishProperties,
    ) -> impl Future<Output = Result<(), PublishError>> {
        self.send(Location::caller(), Outgoing::new(topic, qos, retain, payload, properties))
    }

    async fn send(
        &self,
        caller: &'static Location<'static>,
        mut message: Outgoing,
    ) -> Result<(), PublishError> {
        let Outgoing { topic, payload, properties, .. } = &mut message;
        let sending = self.begin(caller, topic, properties);
        if !sending.forwards() {
            let left_out = shorten(properties, topic.len() + payload.len(), self.packet_len_max);
            if !left_out.is_empty() {
                sending.span().set_attribute(own::MESSAGING_LEFT_OUT, left_out);
            }
        }
        sending.run(self.hand_over(message)).await.0
    }

    fn begin(
        &self,
        caller: &'static Location<'static>,
        topic: &str,
        properties: &mut PublishProperties,
    ) -> Operation {
        let (message, mut carrier) = (Message::to(topic), UserProperties::new(properties));
        let sending = self.endpoint.send_from(caller, PUBLISH, &message, &mut carrier);
        if properties.correlation_data.is_none() && !sending.forwards() {
            let id = sending.context().correlation_id().map(|id| id.as_str().to_owned());
            properties.correlation_data = id.map(Into::into);
        }
        sending
    }

    async fn hand_over(&self, message: Outgoing) -> Published {
        if !is_valid_topic(&message.topic) {
            return Published(Err(PublishError::InvalidTopic(message.topic)));
        }
        let Outgoing { topic, qos, retain, payload, properties } = message;
        // Tried first without a timer: nearly always there is room.
        let tried = self.client.try_publish_with_properties(topic, qos, retain, payload, properties);
        let Err(ClientError::TryRequest(rumqttc::v5::Request::Publish(message))) = tried else {
            return Published(tried.map_err(|_| PublishError::Stopped));
        };
        let topic = String::from_utf8_lossy(&message.topic).into_owned();
        let properties = message.properties.unwrap_or_default();
        let waiting = self.client.publish_with_properties(topic, qos, retain, message.payload, properties);
        Published(match timeout(self.time_limit, waiting).await {
            Ok(done) => done.map_err(|_| PublishError::Stopped),
            Err(_) => Err(PublishError::QueueFull(self.time_limit)),
        })
    }
}

/// How long [`Publisher::publish`] waits for room in the client's queue unless told otherwise.
pub const PUBLISH_TIME_LIMIT: Duration = Duration::from_secs(10);

/// How long a packet may be unless told otherwise: what `rumqttc` takes by default.
pub const PACKET_LEN_MAX: usize = 10 * 1024;

struct Outgoing {
    topic: String,
    qos: QoS,
    retain: bool,
    payload: Vec<u8>,
    properties: PublishProperties,
}

impl Outgoing {
    fn new(
        topic: impl Into<String>,
        qos: QoS,
        retain: bool,
        payload: impl Into<Vec<u8>>,
        properties: PublishProperties,
    ) -> Self {
        Self { topic: topic.into(), qos, retain, payload: payload.into(), properties }
    }
}

/// Why a message wasn't published.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PublishError {
    /// The topic is empty or too long, or has a wildcard.
    InvalidTopic(String),
    /// The client's event loop is gone.
    Stopped,
    /// The client's queue had no room for as long as this: the broker is away, or nobody polls the event loop.
    QueueFull(Duration),
}

impl fmt::Display for PublishError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidTopic(topic) => write!(f, "no message can be published to topic {topic:?}"),
            Self::Stopped => f.write_str("the client's event loop is gone"),
            Self::QueueFull(limit) => write!(
                f,
                "the client's queue stayed full for {limit:?}: the broker is away or the event loop isn't polled"
            ),
        }
    }
}

impl std::error::Error for PublishError {}

/// The result of publishing, with few `error.type`s.
struct Published(Result<(), PublishError>);

impl Outcome for Published {
    fn failure(&self) -> Option<Failure<'_>> {
        let error = self.0.as_ref().err()?;
        let kind = match error {
            PublishError::InvalidTopic(_) => "invalid_topic",
            PublishError::Stopped => "closed",
            PublishError::QueueFull(_) => "timeout",
        };
        Some(Failure::new(kind).message(error))
    }
}

// ---- receive ----

/// Begins to handle a message, with the default settings of a [`Subscriber`].
pub fn process(message: &Publish) -> Processing {
    Subscriber(Endpoint::new(SYSTEM)).process(message)
}

/// Begins the handling of messages in the context that they bring.
#[derive(Clone, Debug)]
#[must_use = "a subscriber does nothing until a message is processed"]
pub struct Subscriber(Endpoint);

impl Subscriber {
    /// A subscriber whose client was made with `options`.
    pub fn new(options: &MqttOptions) -> Self {
        Self(endpoint(options))
    }

    /// The group of a shared subscription: `fulfilment` for the filter `$share/fulfilment/order/+`.
    pub fn group(self, name: impl Into<String>) -> Self {
        Self(self.0.group(name))
    }

    /// A pattern for topics that contain ids; see [`Endpoint::template`].
    pub fn template(self, pattern: &str) -> Self {
        Self(self.0.template(pattern))
    }

    /// How the `process` span of one message relates to its sender.
    pub fn relation(self, relation: Relation) -> Self {
        Self(self.0.relation(relation))
    }

    /// How far the user properties of incoming messages are believed; see [`Endpoint::edge`].
    pub fn edge(self, edge: impl Edge) -> Self {
        Self(self.0.edge(edge))
    }

    /// For a broker that strangers publish to; see [`Endpoint::public`].
    pub fn public(self) -> Self {
        Self(self.0.public())
    }

    /// Begins to handle a message: its `process` span is open, and [`Processing::run`] runs the handler in it.
    ///
    /// A message whose context makes no sense is handled like one that has none.
    pub fn process(&self, message: &Publish) -> Processing {
        let topic = topic(message);
        self.0.process(PROCESS, &describe(message, &topic), user_properties(message))
    }

    /// Begins to handle several messages at once, in one span that links to the sender of each.
    pub fn process_batch(&self, messages: &[Publish]) -> Processing {
        let topics: Vec<_> = messages.iter().map(topic).collect();
        let described = messages.iter().zip(&topics);
        let described =
            described.map(|(message, topic)| (describe(message, topic), user_properties(message)));
        self.0.process_batch(PROCESS, described)
    }

    /// Acknowledges a message, inside an `ack` span that links to the sender; for clients with manual acknowledgement.
    ///
    /// # Errors
    /// When the event loop is gone.
    pub async fn ack(&self, client: &AsyncClient, message: &Publish) -> Result<(), PublishError> {
        let topic = topic(message);
        let settling = self.0.settle(ACK, &describe(message, &topic), user_properties(message));
        settling
            .run(async { Published(client.ack(message).await.map_err(|_| PublishError::Stopped)) })
            .await
            .0
    }
}

fn describe<'a>(message: &Publish, topic: &'a str) -> Message<'a> {
    Message::to(topic).redelivered(message.dup)
}

fn user_properties(message: &Publish) -> &dyn Carrier {
    static NONE: Vec<(String, String)> = Vec::new();
    message.properties.as_ref().map_or(&NONE, |properties| &properties.user_properties)
}

// ---- connect ----

/// Makes a client and waits until the broker has accepted it.
///
/// `rumqttc` by itself connects when its event loop is first polled, and every failure looks like an event: a service
/// whose broker is missing seems to run. This fails instead, with the broker's address, within the deadline. A
/// connection that breaks later is the event loop's to restore, by being polled on.
///
/// # Errors
/// When the broker can't be reached, refuses, or doesn't answer within `deadline`.
pub async fn connect(
    options: MqttOptions,
    queue_len_max: usize,
    deadline: Duration,
) -> Result<(AsyncClient, EventLoop), ConnectError> {
    let (host, port) = options.broker_address();
    let broker = format!("{host}:{port}");
    let (client, mut events) = AsyncClient::new(options, queue_len_max);
    let accepted = async {
        while !matches!(events.poll().await?, Event::Incoming(Incoming::ConnAck(_))) {}
        Ok(())
    };
    match timeout(deadline, accepted).await {
        Ok(Ok(())) => Ok((client, events)),
        Ok(Err(cause)) => Err(ConnectError { broker, deadline, cause: Some(cause) }),
        Err(_) => Err(ConnectError { broker, deadline, cause: None }),
    }
}

/// Why there is no connection to the broker.
#[derive(Debug)]
pub struct ConnectError {
    broker: String,
    deadline: Duration,
    cause: Option<ConnectionError>,
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { broker, deadline, cause } = self;
        match cause {
            Some(_) => write!(f, "no connection to the MQTT broker at {broker}"),
            None => write!(f, "no answer from the MQTT broker at {broker} within {deadline:?}"),
        }
    }
}

impl std::error::Error for ConnectError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.cause.as_ref().map(|cause| cause as _)
    }
}

// ---- facts ----

const SYSTEM: &str = "mqtt";
const PUBLISH: &str = "publish";
const PROCESS: &str = "process";
const ACK: &str = "ack";

/// The longest name that fits into MQTT's length field.
const TOPIC_LEN_MAX: usize = u16::MAX as usize;

fn endpoint(options: &MqttOptions) -> Endpoint {
    let (host, port) = options.broker_address();
    let endpoint = Endpoint::new(SYSTEM).client_id(options.client_id());
    // For a Unix socket or a websocket this is a path or a URL, which may have a password in it.
    if host.contains('/') { endpoint } else { endpoint.server(host, port) }
}

/// Leaves out of the context what makes the packet too long, if that is enough; returns the names of what it was.
fn shorten(
    properties: &mut PublishProperties,
    rest_len: usize,
    packet_len_max: usize,
) -> &'static [&'static str] {
    let all: usize = properties.user_properties.iter().map(property_len).sum();
    let own = [&properties.response_topic, &properties.content_type];
    let own: usize = own.into_iter().flatten().map(String::len).sum();
    let data = properties.correlation_data.as_ref().map_or(0, |data| data.len());
    let excess = (FIXED_LEN_MAX + rest_len + all + own + data).saturating_sub(packet_len_max);
    let of = |name: &str| {
        let named = properties.user_properties.iter().filter(|(own, _)| own == name);
        named.map(property_len).sum::<usize>()
    };
    let left_out: &'static [&'static str] = match (of(BAGGAGE), of(TRACESTATE)) {
        _ if excess == 0 => &[],
        (baggage, _) if excess <= baggage => &[BAGGAGE],
        (baggage, tracestate) if excess <= baggage + tracestate => &[BAGGAGE, TRACESTATE],
        _ => &[],
    };
    for name in left_out {
        Carrier::remove(&mut properties.user_properties, name);
    }
    left_out
}

const BAGGAGE: &str = "baggage";
const TRACESTATE: &str = "tracestate";

/// What a publish packet has at most beside topic, payload, texts and user properties.
const FIXED_LEN_MAX: usize = 64;

/// A user property has a byte that says what it is, and two length fields.
const fn property_len((name, value): &(String, String)) -> usize {
    5 + name.len() + value.len()
}

fn topic(message: &Publish) -> Cow<'_, str> {
    String::from_utf8_lossy(&message.topic)
}

fn is_valid_topic(topic: &str) -> bool {
    !topic.is_empty() && topic.len() <= TOPIC_LEN_MAX && !topic.contains(['+', '#', '\0'])
}

#[cfg(test)]
mod tests {
    use super::*;

    const SENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    fn published(properties: &[(&str, &str)]) -> Publish {
        let user_properties =
            properties.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        let properties = PublishProperties { user_properties, ..PublishProperties::default() };
        Publish::new("order/created", QoS::AtMostOnce, "x", Some(properties))
    }

    #[test]
    fn the_context_is_read_from_user_properties_in_any_case() {
        let processing = process(&published(&[("TraceParent", SENT), ("X-Correlation-Id", "order-1")]));
        let span = processing.context().span().unwrap();
        assert_eq!(span.trace_id().to_string(), "0af7651916cd43dd8448eb211c80319c");
        assert_eq!(processing.context().correlation_id().unwrap().as_str(), "order-1");
        processing.finish(&());
    }

    #[test]
    fn two_traceparents_are_none() {
        let processing = process(&published(&[("traceparent", SENT), ("TRACEPARENT", SENT)]));
        assert!(processing.context().span().is_none());
        processing.finish(&());
    }

    #[test]
    fn a_forgotten_context_leaves_the_applications_properties() {
        let mut properties =
            published(&[("traceparent", SENT), ("tenant", "blue"), ("x-correlation-id", "order-1")])
                .properties
                .unwrap();
        properties.correlation_data = Some("order-1".into());
        forget_context(&mut properties);
        assert_eq!(properties.user_properties, [("tenant".to_owned(), "blue".to_owned())]);
        assert_eq!(properties.correlation_data, None);
    }

    #[test]
    fn correlation_data_of_the_application_is_left_alone() {
        let mut properties = PublishProperties { correlation_data: Some("42".into()), ..Default::default() };
        let (client, _events) = AsyncClient::new(MqttOptions::new("test", "127.0.0.1", 1883), 1);
        let publisher = Publisher::new(client, &MqttOptions::new("test", "127.0.0.1", 1883));
        publisher.begin(Location::caller(), "order/created", &mut properties).finish(&());
        assert_eq!(properties.correlation_data.as_deref(), Some(b"42".as_slice()));
        forget_context(&mut properties);
        assert_eq!(properties.correlation_data.as_deref(), Some(b"42".as_slice()));
    }

    #[test]
    fn a_context_never_makes_a_packet_too_long() {
        let context = [("traceparent", SENT), ("tracestate", "a=1"), ("baggage", "k=v"), ("tenant", "blue")];
        let left = |packet_len_max| {
            let mut properties = published(&context).properties.unwrap();
            shorten(&mut properties, 100, packet_len_max);
            properties.user_properties.into_iter().map(|(name, _)| name).collect::<Vec<_>>().join(" ")
        };
        let whole: usize = context.iter().map(|(name, value)| 5 + name.len() + value.len()).sum();
        let whole = whole + 100 + FIXED_LEN_MAX;
        assert_eq!(left(whole), "traceparent tracestate baggage tenant");
        assert_eq!(left(whole - 1), "traceparent tracestate tenant");
        assert_eq!(left(whole - 16), "traceparent tenant");
        assert_eq!(left(100), "traceparent tracestate baggage tenant", "too long without us");
    }

    #[test]
    fn topics_are_checked() {
        let cases = [("order/created", true), ("", false), ("order/+", false), ("#", false), ("a\0b", false)];
        for (topic, expected) in cases {
            assert_eq!(is_valid_topic(topic), expected, "{topic:?}");
        }
        assert!(!is_valid_topic(&"a".repeat(TOPIC_LEN_MAX + 1)));
    }

    #[tokio::test]
    async fn publishing_without_a_broker_ends_with_an_error() {
        let options = MqttOptions::new("test", "127.0.0.1", 1883);
        let (client, events) = AsyncClient::new(options.clone(), 1);
        let publisher = Publisher::new(client, &options).time_limit(Duration::from_millis(20));
        publisher.publish("a", QoS::AtMostOnce, false, "first").await.unwrap();
        let full = publisher.publish("a", QoS::AtMostOnce, false, "second").await;
        assert_eq!(full, Err(PublishError::QueueFull(Duration::from_millis(20))));
        drop(events);
        assert_eq!(publisher.publish("a", QoS::AtMostOnce, false, "x").await, Err(PublishError::Stopped));
        let invalid = publisher.publish("a/#", QoS::AtMostOnce, false, "x").await;
        assert_eq!(invalid, Err(PublishError::InvalidTopic("a/#".to_owned())));
    }
}
