//! One operation on a broker, from its beginning to its end, and the span and the measurements of it.

use std::{fmt, future::Future, time::Instant};

use throughline_core::{
    Carry, Context, Pipeline, SpanContext, SpanExt, SpanRecord, Status, Value,
    semconv::{self, messaging as names, own},
    with_remote,
};
use tracing::Span;

use crate::{
    Endpoint, Message, Outcome,
    endpoint::Settings,
    measures::Measures,
    outcome::End,
    relation::{Creation, Place},
};

/// The handling of a message or of a batch: an [`Operation`] that is entered while the handler runs.
pub type Processing = Operation;

/// A message operation under way: sending, receiving, processing or settling.
///
/// It has begun, and its span is open, when you get it. Run the work in it with [`run`](Self::run) (or
/// [`in_scope`](Self::in_scope) where nothing is awaited): inside, the operation's context is current, so that log
/// lines, further spans and outgoing requests belong to it, also where the span itself is filtered out.
///
/// The result of the work ends the operation. One that is dropped without a result is marked as what it was, cancelled
/// or panicked; so is work that panics or is dropped halfway. The span's attribute `throughline.messaging.end` says
/// which: `complete`, `error`, `panic` or `cancelled`. Handling that didn't complete also has status and `error.type`.
///
/// The span closes when nobody holds it any more: a task spawned with [`Carry::carry`] prolongs it. The
/// measured duration ends with the work.
#[must_use = "an operation that is dropped at once is recorded as cancelled"]
pub struct Operation {
    span: Span,
    context: Context,
    /// Whether nobody but us makes `context` current: the span is filtered out, or no core layer is installed.
    pass_through: bool,
    kind: Kind,
    started: Instant,
    measures: Option<Measures>,
    ended: bool,
}

/// What the operation does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Its context goes into the message.
    Send,
    /// The message keeps the context it has.
    Forward,
    Receive,
    Process,
    Settle,
}

impl Kind {
    const fn span_kind(self) -> &'static str {
        match self {
            Self::Send => "producer",
            Self::Forward | Self::Receive | Self::Settle => "client",
            Self::Process => "consumer",
        }
    }

    const fn operation_type(self) -> &'static str {
        match self {
            Self::Send | Self::Forward => names::OPERATION_TYPE_SEND,
            Self::Receive => names::OPERATION_TYPE_RECEIVE,
            Self::Process => names::OPERATION_TYPE_PROCESS,
            Self::Settle => names::OPERATION_TYPE_SETTLE,
        }
    }
}

/// What is known when an operation begins.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Begin<'a> {
    pub(crate) kind: Kind,
    pub(crate) operation: &'static str,
    /// The one destination, if there is just one.
    pub(crate) destination: Option<&'a str>,
    pub(crate) partition: Option<&'a str>,
    /// How many messages a batch has.
    batch: Option<usize>,
    /// Whether these messages were counted before, when they were received.
    received: bool,
}

impl<'a> Begin<'a> {
    pub(crate) fn one(kind: Kind, operation: &'static str, message: &Message<'a>) -> Self {
        let destination = Some(message.destination).filter(|name| !name.is_empty());
        Self { kind, operation, destination, partition: message.partition, batch: None, received: false }
    }

    pub(crate) fn batch(kind: Kind, operation: &'static str, messages: &[(Message<'a>, Creation)]) -> Self {
        let mut destinations = messages.iter().map(|(message, _)| message.destination);
        let first = destinations.next().filter(|name| !name.is_empty());
        let destination = first.filter(|name| destinations.all(|other| other == *name));
        Self { kind, operation, destination, partition: None, batch: Some(messages.len()), received: false }
    }

    /// Says that the messages of this batch came by a receive operation.
    pub(crate) const fn received(mut self) -> Self {
        self.received = true;
        self
    }
}
