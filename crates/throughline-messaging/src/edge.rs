//! How far each message is believed.

use std::fmt;

use throughline_core::{Carrier, EdgePolicy};

use crate::Message;

/// Chooses how far a message's ids, sampled flag, baggage and correlation id are believed.
///
/// Implemented by [`EdgePolicy`], which is the same for every message, and by closures. Called once a message, before any
/// of those is read; it must not block.
///
/// ```
/// use throughline_core::EdgePolicy;
/// use throughline_messaging::{Incoming, Endpoint};
///
/// let broker = Endpoint::new("stan").edge(|message: &Incoming<'_>| match message.destination() {
///     topic if topic.starts_with("partners/") => EdgePolicy::edge(),
///     _ => EdgePolicy::trust(),
/// });
/// # let _ = broker;
/// ```
///
/// What a header says is what the sender says: only one that the broker sets is worth a choice.
pub trait Edge: Send + Sync + 'static {
    /// The policy for this message.
    fn policy(&self, message: &Incoming<'_>) -> EdgePolicy;
}

impl Edge for EdgePolicy {
    fn policy(&self, _: &Incoming<'_>) -> EdgePolicy {
        self.clone()
    }
}

impl<F> Edge for F
where
    F: Fn(&Incoming<'_>) -> EdgePolicy + Send + Sync + 'static,
{
    fn policy(&self, message: &Incoming<'_>) -> EdgePolicy {
        self(message)
    }
}

impl fmt::Debug for dyn Edge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Edge")
    }
}

/// A message that has arrived, and of which nothing is believed yet.
pub struct Incoming<'a> {
    message: &'a Message<'a>,
    headers: &'a dyn Carrier,
}

impl<'a> Incoming<'a> {
    pub(crate) const fn new(message: &'a Message<'a>, headers: &'a dyn Carrier) -> Self {
        Self { message, headers }
    }

    /// The topic, queue, stream or channel that it came from.
    #[must_use]
    pub const fn destination(&self) -> &'a str {
        self.message.destination
    }

    /// The first value of a header, whose name is given in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&'a [u8]> {
        let mut first = None;
        self.headers.get_all(name, &mut |value| {
            first.get_or_insert(value);
        });
        first
    }
}

impl fmt::Debug for Incoming<'_> {
    /// Shows no headers: they may be secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Incoming").field("message", &self.message).finish_non_exhaustive()
    }
}
