//! In-process channels: a `tokio` channel whose messages carry their context as it is, without text.
//!
//! ```
//! use throughline_messaging::channel;
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let (orders, mut incoming) = channel::channel("orders", 64);
//!
//! tokio::spawn(async move {
//!     while let Some(delivery) = incoming.recv().await {
//!         delivery.process(async |order: String| ship(&order)).await.ok();
//!     }
//! });
//!
//! orders.send("three apples".to_owned()).await?;
//! # Ok(())
//! # }
//! # fn ship(_: &str) -> Result<(), std::fmt::Error> { Ok(()) }
//! ```
//!
//! Sending makes a `send` span and processing a `process` span, which is its child (see [`Relation`]). The consumer's
//! task must not be spawned with [`Carry`](throughline_core::Carry), or else every message is handled inside the span
//! that spawned it, and only links to its sender. Waiting for one message makes no span: it says nothing about any
//! message. [`Receiver::recv_many`] makes one, which links to what came.
//!
//! The time a message has spent in the queue is on its `process` span, as `throughline.messaging.queue_time_ms`.

use std::{fmt, future::Future, panic::Location, sync::Arc, time::Instant};

use throughline_core::{Context, Pipeline, SpanExt, semconv::own};
use tokio::sync::mpsc;

use crate::{
    Endpoint, Message, Operation, Outcome, Processing, Relation, operation::Begin, outcome::Failure,
    relation::Creation,
};

// ---- carrier: none, the context travels as it is ----

/// A message in the queue.
struct Envelope<T> {
    value: T,
    creation: Creation,
    enqueued: Instant,
}

/// A channel that holds up to `capacity` messages, at least one; sending waits while it is full.
///
/// The name is the destination on its spans and metrics: there should be few of them.
pub fn channel<T>(name: impl Into<Arc<str>>, capacity: usize) -> (Sender<T>, Receiver<T>) {
    let (sender, receiver) = mpsc::channel(capacity.max(1));
    ends(name.into(), SenderQueue::Bounded(sender), ReceiverQueue::Bounded(receiver))
}

/// A channel that holds any number of messages: only for producers that something else slows down.
pub fn unbounded<T>(name: impl Into<Arc<str>>) -> (Sender<T>, Receiver<T>) {
    let (sender, receiver) = mpsc::unbounded_channel();
    ends(name.into(), SenderQueue::Unbounded(sender), ReceiverQueue::Unbounded(receiver))
}

fn ends<T>(name: Arc<str>, sender: SenderQueue<T>, receiver: ReceiverQueue<T>) -> (Sender<T>, Receiver<T>) {
    let endpoint = Endpoint::new(SYSTEM);
    let sender = Sender { name: Arc::clone(&name), queue: sender, endpoint: endpoint.clone() };
    (sender, Receiver { name, queue: receiver, endpoint })
}

// ---- send ----

/// The sending end of a [`channel()`].
pub struct Sender<T> {
    name: Arc<str>,
    queue: SenderQueue<T>,
    endpoint: Endpoint,
}

enum SenderQueue<T> {
    Bounded(mpsc::Sender<Envelope<T>>),
    Unbounded(mpsc::UnboundedSender<Envelope<T>>),
}

impl<T> Sender<T> {
    /// Sends a message, inside a `send` span, as soon as there is room.
    ///
    /// # Errors
    /// When the receiver is gone. The error has the message.
    ///
    /// # Cancel safety
    /// When the future is dropped, the message is, too, and nothing was sent.
    #[track_caller]
    pub fn send(&self, value: T) -> impl Future<Output = Result<(), SendError<T>>> {
        let caller = Location::caller();
        async move {
            let sending = self.begin(caller, None);
            let creation = created_in(sending.context());
            sending.run(self.enqueue(value, creation)).await.0
        }
    }

    /// Sends a message, inside a `send` span, if there is room right now.
    ///
    /// # Errors
    /// When there is no room, or the receiver is gone. The error has the message.
    #[track_caller]
    pub fn try_send(&self, value: T) -> Result<(), SendError<T>> {
        let sending = self.begin(Location::caller(), None);
        let creation = created_in(sending.context());
        sending.in_scope(|| Sent(self.try_enqueue(value, creation))).0
    }

    /// Sends a message on that came from another channel: to be tried again, or to rest among the dead letters.
    ///
    /// It keeps the context that it was created in; the `send` span links to that. Its time in the queue begins anew.
    ///
    /// # Errors
    /// When the receiver is gone. The error has the message.
    #[track_caller]
    pub fn forward(&self, delivery: Delivery<T>) -> impl Future<Output = Result<(), SendError<T>>> {
        let caller = Location::caller();
        async move {
            let Envelope { value, creation, .. } = delivery.envelope;
            let sending = self.begin(caller, Some(&creation.context));
            let creation = if sending.forwards() { creation } else { created_in(sending.context()) };
            sending.run(self.enqueue(value, creation)).await.0
        }
    }

    fn begin(&self, caller: &'static Location<'static>, existing: Option<&Context>) -> Operation {
        self.endpoint.send_in(caller, SEND, &Message::to(&self.name), existing, &Pipeline::current())
    }

    async fn enqueue(&self, value: T, creation: Creation) -> Sent<T> {
        let envelope = |value| Envelope { value, creation, enqueued: Instant::now() };
        Sent(match &self.queue {
            // The clock starts when there is room: waiting for it is the sender's time, not the queue's.
            SenderQueue::Bounded(queue) => match queue.reserve().await {
                Ok(place) => {
                    place.send(envelope(value));
                    Ok(())
                }
                Err(_) => Err(SendError::closed(value)),
            },
            SenderQueue::Unbounded(queue) => {
                queue.send(envelope(value)).map_err(|error| SendError::closed(error.0.value))
            }
        })
    }

    fn try_enqueue(&self, value: T, creation: Creation) -> Result<(), SendError<T>> {
        let envelope = Envelope { value, creation, enqueued: Instant::now() };
        match &self.queue {
            SenderQueue::Bounded(queue) => queue.try_send(envelope).map_err(|error| match error {
                mpsc::error::TrySendError::Full(envelope) => SendError::full(envelope.value),
                mpsc::error::TrySendError::Closed(envelope) => SendError::closed(envelope.value),
            }),
            SenderQueue::Unbounded(queue) => {
                queue.send(envelope).map_err(|error| SendError::closed(error.0.value))
            }
        }
    }
}

fn created_in(context: &Context) -> Creation {
    Creation { context: context.clone(), correlated: context.correlation_id().is_some() }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        let queue = match &self.queue {
            SenderQueue::Bounded(queue) => SenderQueue::Bounded(queue.clone()),
            SenderQueue::Unbounded(queue) => SenderQueue::Unbounded(queue.clone()),
        };
        Self { name: Arc::clone(&self.name), queue, endpoint: self.endpoint.clone() }
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender").field("name", &self.name).finish_non_exhaustive()
    }
}

/// A message that couldn't be sent.
pub struct SendError<T> {
    value: T,
    reason: Reason,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reason {
    Full,
    Closed,
}

impl<T> SendError<T> {
    const fn full(value: T) -> Self {
        Self { value, reason: Reason::Full }
    }

    const fn closed(value: T) -> Self {
        Self { value, reason: Reason::Closed }
    }

    /// The message.
    pub fn into_inner(self) -> T {
        self.value
    }

    /// Whether the receiver is gone, so that trying again is of no use.
    pub fn is_closed(&self) -> bool {
        self.reason == Reason::Closed
    }
}

/// The result of sending: its `error.type` is `full` or `closed`.
struct Sent<T>(Result<(), SendError<T>>);

impl<T> Outcome for Sent<T> {
    fn failure(&self) -> Option<Failure<'_>> {
        let error = self.0.as_ref().err()?;
        Some(Failure::new(if error.is_closed() { "closed" } else { "full" }).message(error))
    }
}

impl<T> fmt::Display for SendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_closed() { "the channel's receiver is gone" } else { "the channel is full" })
    }
}

impl<T> fmt::Debug for SendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SendError").field("reason", &self.reason).finish_non_exhaustive()
    }
}

impl<T> std::error::Error for SendError<T> {}

// ---- receive ----

/// The receiving end of a [`channel()`].
pub struct Receiver<T> {
    name: Arc<str>,
    queue: ReceiverQueue<T>,
    endpoint: Endpoint,
}

enum ReceiverQueue<T> {
    Bounded(mpsc::Receiver<Envelope<T>>),
    Unbounded(mpsc::UnboundedReceiver<Envelope<T>>),
}

impl<T> Receiver<T> {
    /// How the `process` span of one message relates to its sender.
    #[must_use]
    pub fn relation(mut self, relation: Relation) -> Self {
        self.endpoint = self.endpoint.relation(relation);
        self
    }

    /// The next message, or `None` when all senders are gone.
    ///
    /// # Cancel safety
    /// No message is lost when the future is dropped.
    pub async fn recv(&mut self) -> Option<Delivery<T>> {
        let envelope = match &mut self.queue {
            ReceiverQueue::Bounded(queue) => queue.recv().await,
            ReceiverQueue::Unbounded(queue) => queue.recv().await,
        };
        Some(self.delivery(envelope?))
    }

    /// Waits for a message and takes up to `limit`, at least one, that are there by then; `None` when all senders are
    /// gone.
    ///
    /// Makes a `receive` span, which links to the sender of each.
    ///
    /// # Cancel safety
    /// No message is lost when the future is dropped.
    pub async fn recv_many(&mut self, limit: usize) -> Option<Batch<T>> {
        let receiving = self.endpoint.receive(RECEIVE, &self.name);
        let mut envelopes = Vec::new();
        let limit = limit.max(1);
        match &mut self.queue {
            ReceiverQueue::Bounded(queue) => queue.recv_many(&mut envelopes, limit).await,
            ReceiverQueue::Unbounded(queue) => queue.recv_many(&mut envelopes, limit).await,
        };
        let counted = |envelope| Delivery { counted: true, ..self.delivery(envelope) };
        let deliveries: Vec<_> = envelopes.into_iter().map(counted).collect();
        receiving.received(&deliveries.iter().map(Delivery::described).collect::<Vec<_>>());
        receiving.finish(&());
        (!deliveries.is_empty()).then_some(Batch { deliveries })
    }

    fn delivery(&self, envelope: Envelope<T>) -> Delivery<T> {
        Delivery { name: Arc::clone(&self.name), envelope, endpoint: self.endpoint.clone(), counted: false }
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver").field("name", &self.name).finish_non_exhaustive()
    }
}

/// A message that arrived, not yet handled.
#[must_use = "nothing is recorded until the message is processed"]
pub struct Delivery<T> {
    name: Arc<str>,
    envelope: Envelope<T>,
    endpoint: Endpoint,
    /// Whether a `receive` span has counted it.
    counted: bool,
}

impl<T> Delivery<T> {
    /// Hands the message to `handler`, inside a `process` span that ends with it.
    pub async fn process<F, O>(self, handler: F) -> O
    where
        F: AsyncFnOnce(T) -> O,
        O: Outcome,
    {
        let (value, processing) = self.processing();
        // The handler is called inside, not only its future polled: it may do its work before the first poll.
        processing.run(async move { handler(value).await }).await
    }

    /// The message, and its handling begun, for handlers that don't fit into a closure.
    pub fn processing(self) -> (T, Processing) {
        let message = Message::to(&self.name);
        let Envelope { value, creation, enqueued } = self.envelope;
        let queued = enqueued.elapsed();
        let begin = Begin::process(PROCESS, &message).counted(self.counted);
        let processing = self.endpoint.process_in(begin, &message, &creation, &Pipeline::current());
        processing.span().set_attribute(own::MESSAGING_QUEUE_TIME_MS, queued.as_secs_f64() * 1_000.0);
        (value, processing)
    }

    /// Another relation than the receiver's, for this message.
    pub fn relation(mut self, relation: Relation) -> Self {
        self.endpoint = self.endpoint.relation(relation);
        self
    }

    /// The message.
    pub const fn get(&self) -> &T {
        &self.envelope.value
    }

    /// The message and the context that it was created in, without any span.
    pub fn into_parts(self) -> (T, Context) {
        (self.envelope.value, self.envelope.creation.context)
    }

    fn described(&self) -> (Message<'_>, Creation) {
        (Message::to(&self.name), self.envelope.creation.clone())
    }
}

impl<T> fmt::Debug for Delivery<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delivery").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Several messages that are handled at once.
#[must_use = "nothing is recorded until the messages are processed"]
pub struct Batch<T> {
    deliveries: Vec<Delivery<T>>,
}

impl<T> Batch<T> {
    /// Hands all messages to `handler`, inside one `process` span that links to the sender of each.
    pub async fn process<F, O>(self, handler: F) -> O
    where
        F: AsyncFnOnce(Vec<T>) -> O,
        O: Outcome,
    {
        let (values, processing) = self.processing();
        processing.run(async move { handler(values).await }).await
    }

    /// The messages, and their handling begun.
    pub fn processing(self) -> (Vec<T>, Processing) {
        let messages: Vec<_> = self.deliveries.iter().map(Delivery::described).collect();
        let counted = self.deliveries.iter().all(|delivery| delivery.counted);
        let begin = Begin::batch(PROCESS, &messages).counted(counted);
        let endpoint =
            self.deliveries.first().map_or_else(|| Endpoint::new(SYSTEM), |first| first.endpoint.clone());
        let processing = endpoint.batch_in(begin, &messages, &Pipeline::current());
        drop(messages);
        (self.deliveries.into_iter().map(|delivery| delivery.envelope.value).collect(), processing)
    }

    /// The messages one by one, for handlers that want a span for each.
    pub fn into_deliveries(self) -> Vec<Delivery<T>> {
        self.deliveries
    }
}

/// A batch of messages that were received one by one.
impl<T> From<Vec<Delivery<T>>> for Batch<T> {
    fn from(deliveries: Vec<Delivery<T>>) -> Self {
        Self { deliveries }
    }
}

impl<T> fmt::Debug for Batch<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batch").field("len", &self.deliveries.len()).finish_non_exhaustive()
    }
}

// ---- facts ----

const SYSTEM: &str = "in_process";
const SEND: &str = "send";
const RECEIVE: &str = "receive";
const PROCESS: &str = "process";
