//! One operation on a broker, from its beginning to its end, with its span and its measurements.

use std::{fmt, future::Future, time::Instant};

use throughline_core::{
    Carry, Context, CorrelationId, Pipeline, SpanContext, SpanExt, SpanRecord, Status, Value,
    semconv::{error::ERROR_TYPE, http, messaging as names, own},
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

/// The handling of a message or of a batch: an [`Operation`] that the handler runs in.
pub type Processing = Operation;

/// A message operation under way: sending, receiving, processing or settling.
///
/// It has begun, and its span is open, when you get it. Run the work in it with [`run`](Self::run), or with
/// [`in_scope`](Self::in_scope) where nothing is awaited. Inside, the operation's context is current, so that log lines,
/// further spans and outgoing requests belong to it, also where the span itself is filtered out.
///
/// The result of the work ends the operation. One that is dropped without a result is marked as what it was, cancelled
/// or panicked; so is work that panics or is dropped halfway. The span's attribute `throughline.messaging.end` says
/// which: `complete`, `error`, `panic` or `cancelled`. A failure also has a status and an `error.type`; handling that was
/// cancelled counts as a failure, sending that its caller gave up does not.
///
/// The measured duration ends with the work. The span closes when nobody holds it any more, and a task that the work
/// spawned with [`Carry::carry`] does.
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

impl Operation {
    /// The span, to set attributes on.
    #[must_use]
    pub const fn span(&self) -> &Span {
        &self.span
    }

    /// The context that work inside this operation has: what goes into a message, or came out of one.
    #[must_use]
    pub const fn context(&self) -> &Context {
        &self.context
    }

    /// Runs `work` in this operation, which ends with it.
    pub async fn run<F>(self, work: F) -> F::Output
    where
        F: Future,
        F::Output: Outcome,
    {
        // Locals are dropped in reverse order: work that is cancelled or panics is gone before its operation ends.
        let operation = self;
        let carried = operation.enter(|| work.carry());
        let output = carried.await;
        operation.finish(&output);
        output
    }

    /// Runs `work` in this operation, which ends with it.
    pub fn in_scope<T: Outcome>(self, work: impl FnOnce() -> T) -> T {
        let output = self.enter(work);
        self.finish(&output);
        output
    }

    /// Ends the operation, for work that ran elsewhere.
    pub fn finish(mut self, outcome: &impl Outcome) {
        self.end(&End::of(outcome));
    }

    fn enter<T>(&self, work: impl FnOnce() -> T) -> T {
        let _span = self.span.enter();
        let _context = self.pass_through.then(|| self.context.enter());
        work()
    }

    fn end(&mut self, end: &End<'_>) {
        self.ended = true;
        let error_type = end.error_type(self.kind == Kind::Process);
        if let Some(measures) = &self.measures {
            measures.ended(self.started.elapsed(), error_type);
        }
        // Put together before the record is locked: the application's own words are written by its own code.
        let description = if self.span.is_disabled() { String::new() } else { end.description() };
        self.span.edit(|record| {
            record.attribute(own::MESSAGING_END, end.name().into());
            if let Some(error_type) = error_type {
                record.status(Status::Error(&description));
                record.attribute(ERROR_TYPE, error_type.into());
            }
        });
    }
}

impl Drop for Operation {
    fn drop(&mut self) {
        if !self.ended {
            self.end(&End::unfinished());
        }
    }
}

impl fmt::Debug for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Operation")
            .field("kind", &self.kind)
            .field("context", &self.context)
            .finish_non_exhaustive()
    }
}

/// What an operation does.
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

    pub(crate) const fn operation_type(self) -> &'static str {
        match self {
            Self::Send | Self::Forward => "send",
            Self::Receive => "receive",
            Self::Process => "process",
            Self::Settle => "settle",
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
    partition: Option<&'a str>,
    /// How many messages a batch has.
    batch: Option<usize>,
    /// How many messages get to the application with this operation, and not before.
    pub(crate) delivers: usize,
}

impl<'a> Begin<'a> {
    pub(crate) fn one(kind: Kind, operation: &'static str, message: &Message<'a>) -> Self {
        let destination = Some(message.destination).filter(|name| !name.is_empty());
        let delivers = usize::from(kind == Kind::Process);
        Self { kind, operation, destination, partition: message.partition, batch: None, delivers }
    }

    pub(crate) fn batch(operation: &'static str, messages: &[(Message<'a>, Creation)]) -> Self {
        let mut destinations = messages.iter().map(|(message, _)| message.destination);
        let first = destinations.next().filter(|name| !name.is_empty());
        let destination = first.filter(|name| destinations.all(|other| other == *name));
        let count = messages.len();
        Self {
            kind: Kind::Process,
            operation,
            destination,
            partition: None,
            batch: Some(count),
            delivers: count,
        }
    }

    pub(crate) fn process(operation: &'static str, message: &Message<'a>) -> Self {
        Self::one(Kind::Process, operation, message)
    }

    /// Says whether a receive operation has counted these messages already.
    #[cfg(feature = "channel")]
    pub(crate) const fn counted(mut self, counted: bool) -> Self {
        if counted {
            self.delivers = 0;
        }
        self
    }
}

impl Operation {
    pub(crate) fn begin(endpoint: &Endpoint, pipeline: &Pipeline, begin: Begin<'_>, place: &Place) -> Self {
        let settings = endpoint.settings();
        let (span, context) = with_remote(&place.context, || {
            let span = open(settings, begin);
            let context = span.context();
            (span, context)
        });
        span.edit(|record| {
            describe(record, settings, begin);
            place.links.iter().for_each(|link| record.link(link, &[]));
        });
        let measures = Measures::begin(pipeline, endpoint, begin);
        Self {
            // The layer gives each span an id of its own: what is still the parent's was not given by it.
            pass_through: context.span().map(SpanContext::span_id)
                == place.context.span().map(SpanContext::span_id),
            span,
            context,
            kind: begin.kind,
            started: Instant::now(),
            measures,
            ended: false,
        }
    }

    /// Whether the message keeps the context that it was created in.
    pub(crate) fn forwards(&self) -> bool {
        self.kind == Kind::Forward
    }

    /// Says what is known of the one message of this operation, which has this conversation id.
    pub(crate) fn describe(&self, message: &Message<'_>, conversation: Option<&CorrelationId>) {
        self.span.edit(|record| {
            let mut text = |key, value: Option<&str>| {
                if let Some(value) = value {
                    record.attribute(key, value.into());
                }
            };
            text(names::MESSAGING_MESSAGE_ID, message.id);
            text(names::MESSAGING_MESSAGE_CONVERSATION_ID, conversation.map(CorrelationId::as_str));
            if let Some(bytes) = message.body_size {
                record.attribute(names::MESSAGING_MESSAGE_BODY_SIZE, bytes.into());
            }
            if message.redelivered {
                record.attribute(own::MESSAGING_REDELIVERED, true.into());
            }
        });
    }

    /// Links to the sender of each message; what differs between messages stands on the links.
    pub(crate) fn link_batch(&self, messages: &[(Message<'_>, Creation)]) {
        self.span.edit(|record| {
            for (message, creation) in messages {
                let Some(sender) = creation.sender() else {
                    continue;
                };
                let conversation = creation.context.correlation_id().map(CorrelationId::as_str);
                let of_message = [
                    (names::MESSAGING_MESSAGE_ID, message.id),
                    (names::MESSAGING_MESSAGE_CONVERSATION_ID, conversation),
                    (names::MESSAGING_DESTINATION_NAME, Some(message.destination)),
                ];
                let known: Vec<_> = of_message
                    .iter()
                    .filter_map(|(key, value)| Some((*key, Value::Str((*value)?))))
                    .collect();
                record.link(sender, &known);
            }
        });
    }

    /// Says which messages a receive operation brought.
    pub(crate) fn received(&self, messages: &[(Message<'_>, Creation)]) {
        self.link_batch(messages);
        self.span.set_attribute(names::MESSAGING_BATCH_MESSAGE_COUNT, messages.len());
        if let Some(measures) = &self.measures {
            measures.delivered(messages.len());
        }
    }
}

fn open(settings: &Settings, begin: Begin<'_>) -> Span {
    tracing::info_span!(
        target: "throughline::messaging",
        "message",
        otel.name = span_name(settings, begin),
        otel.kind = begin.kind.span_kind(),
        { names::MESSAGING_OPERATION_NAME } = begin.operation,
        { names::MESSAGING_DESTINATION_NAME } = begin.destination,
    )
}

fn span_name(settings: &Settings, begin: Begin<'_>) -> String {
    let operation = begin.operation;
    let Some(destination) = begin.destination else {
        return operation.to_owned();
    };
    let shown = settings.template_of(destination).unwrap_or(destination);
    format!("{operation} {shown}")
}

fn describe(record: &mut dyn SpanRecord, settings: &Settings, begin: Begin<'_>) {
    record.attribute(names::MESSAGING_SYSTEM, settings.system.into());
    record.attribute(names::MESSAGING_OPERATION_TYPE, begin.kind.operation_type().into());
    let of_process = matches!(begin.kind, Kind::Receive | Kind::Process | Kind::Settle);
    let texts = [
        (
            names::MESSAGING_DESTINATION_TEMPLATE,
            begin.destination.and_then(|name| settings.template_of(name)),
        ),
        (names::MESSAGING_DESTINATION_PARTITION_ID, begin.partition),
        (names::MESSAGING_CLIENT_ID, settings.client_id.as_deref()),
        (names::MESSAGING_CONSUMER_GROUP_NAME, settings.group.as_deref().filter(|_| of_process)),
        (http::SERVER_ADDRESS, settings.server.as_ref().map(|(address, _)| address.as_str())),
    ];
    for (key, value) in texts {
        if let Some(value) = value {
            record.attribute(key, value.into());
        }
    }
    if let Some((_, port)) = settings.server {
        record.attribute(http::SERVER_PORT, port.into());
    }
    if let Some(count) = begin.batch {
        record.attribute(names::MESSAGING_BATCH_MESSAGE_COUNT, count.into());
    }
}
