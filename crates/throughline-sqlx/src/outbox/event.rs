//! What is to be told to others.

use std::fmt;

/// The longest topic, key or message id, in bytes: what every database can index.
pub const KEY_BYTES_MAX: usize = 255;

/// Something that has happened, to be stored with the write that made it happen.
///
/// ```
/// use throughline_sqlx::outbox::Event;
/// let event = Event::new("order.created", br#"{"order":7}"#.as_slice()).key("order-7");
/// ```
#[derive(Clone)]
#[must_use = "an event is nothing until an outbox stores it"]
pub struct Event {
    pub(crate) topic: String,
    pub(crate) payload: Vec<u8>,
    pub(crate) key: Option<String>,
}

impl Event {
    /// An event for this topic, with the bytes that a consumer gets.
    ///
    /// The topic is part of a span's name and a label of metrics: there should be few of them.
    pub fn new(topic: impl Into<String>, payload: impl Into<Vec<u8>>) -> Self {
        Self { topic: topic.into(), payload: payload.into(), key: None }
    }

    /// What the event is about: events with the same key keep their order whatever becomes of others
    /// ([`Order::OfKeys`](super::Order::OfKeys)).
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.key = Some(key.into());
        self
    }
}

impl fmt::Debug for Event {
    /// Shows no payload: it may be secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Event").field("topic", &self.topic).finish_non_exhaustive()
    }
}
