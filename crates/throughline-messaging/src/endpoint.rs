//! One side of a broker: what all messages that a producer sends, or a consumer gets, have in common.

use std::sync::Arc;

use throughline_core::{Carrier, Context, CorrelationId, EdgePolicy, Pipeline, SpanContext};

use crate::{
    Message, Operation, Processing, Relation,
    operation::{Begin, Kind},
    relation::{Creation, Place},
    template::Templates,
};

/// A producer's or a consumer's side of a broker, and how its spans are made.
///
/// The adapters of this crate have one inside. For a broker that has none here, this and a
/// [`Carrier`] for its headers are all it takes:
///
/// ```
/// use throughline_messaging::{Endpoint, Message};
///
/// # async fn example(mut headers: Vec<(String, String)>) -> Result<(), std::fmt::Error> {
/// let stan = Endpoint::new("stan").client_id("orders-1").server("10.0.0.7", 4222);
///
/// let sending = stan.send("publish", &Message::to("order.created"), &mut headers);
/// sending.run(async { /* hand the message with its headers over */ Ok::<_, std::fmt::Error>(()) }).await?;
///
/// let processing = stan.process("process", &Message::to("order.created"), &headers);
/// processing.run(async { /* handle it */ Ok::<_, std::fmt::Error>(()) }).await?;
/// # Ok(())
/// # }
/// ```
///
/// Cloning is cheap.
#[derive(Clone, Debug)]
#[must_use = "an endpoint does nothing until a message goes through it"]
pub struct Endpoint(Arc<Settings>);

#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) system: &'static str,
    pub(crate) client_id: Option<String>,
    pub(crate) server: Option<(String, u16)>,
    pub(crate) group: Option<String>,
    pub(crate) templates: Templates,
    pub(crate) separator: char,
    relation: Relation,
    edge: EdgePolicy,
}

impl Endpoint {
    /// An endpoint of the broker that is called `system` in `messaging.system`.
    pub fn new(system: &'static str) -> Self {
        Self(Arc::new(Settings {
            system,
            client_id: None,
            server: None,
            group: None,
            templates: Templates::default(),
            separator: '/',
            relation: Relation::default(),
            edge: EdgePolicy::default(),
        }))
    }

    /// The name under which the broker knows this client.
    pub fn client_id(self, id: impl Into<String>) -> Self {
        self.change(|settings| settings.client_id = Some(id.into()))
    }

    /// The broker's address.
    pub fn server(self, address: impl Into<String>, port: u16) -> Self {
        self.change(|settings| settings.server = Some((address.into(), port)))
    }

    /// The consumer group, or what the broker has of that kind.
    pub fn group(self, name: impl Into<String>) -> Self {
        self.change(|settings| settings.group = Some(name.into()))
    }

    /// A pattern for destinations that contain ids, such as `devices/{device}/state`; the first that fits is used.
    ///
    /// `{…}` stands for one part between [separators](Self::separator). Set one for every such destination: the name of
    /// a destination is otherwise part of the span's name, and a label of the metrics.
    pub fn template(self, pattern: &str) -> Self {
        self.change(|settings| settings.templates.add(pattern))
    }

    /// What separates the parts of a destination's name; `/` unless set.
    pub fn separator(self, separator: char) -> Self {
        self.change(|settings| settings.separator = separator)
    }

    /// How the span of handling one message relates to its sender.
    pub fn relation(self, relation: Relation) -> Self {
        self.change(|settings| settings.relation = relation)
    }

    /// How far the headers of incoming messages are believed.
    pub fn edge(self, policy: EdgePolicy) -> Self {
        self.change(|settings| settings.edge = policy)
    }

    fn change(mut self, change: impl FnOnce(&mut Settings)) -> Self {
        change(Arc::make_mut(&mut self.0));
        self
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.0
    }

    /// Begins to send a message: opens the span and writes the context into `headers`.
    ///
    /// A message that brings a context of its own keeps it, untouched; the span then links to it. A message sent from
    /// where there is no correlation id gets a new one.
    pub fn send(&self, operation: &'static str, message: &Message<'_>, headers: &mut dyn Carrier) -> Operation {
        let pipeline = Pipeline::current();
        let propagator = pipeline.propagator();
        let existing = present(headers, &pipeline).then(|| propagator.extract(headers, &EdgePolicy::trust()));
        let existing = existing.filter(|context| context.span().is_some());
        let sending = self.send_in(operation, message, existing.as_ref(), pipeline.clone());
        if existing.is_none() {
            propagator.inject(&sending.context(), headers);
        }
        sending
    }

    /// Begins to send a message that was `existing` before, or is new.
    pub(crate) fn send_in(
        &self,
        operation: &'static str,
        message: &Message<'_>,
        existing: Option<&Context>,
        pipeline: Pipeline,
    ) -> Operation {
        let mut ambient = Context::current();
        if ambient.correlation_id().is_none() {
            let kept = existing.and_then(Context::correlation_id).cloned();
            ambient = ambient.with_correlation_id(kept.unwrap_or_else(CorrelationId::generate));
        }
        let sender = existing.and_then(Context::span);
        let kind = if sender.is_some() { Kind::Forward } else { Kind::Send };
        let place = Place { context: ambient, links: sender.cloned().into_iter().collect() };
        let sending = Operation::begin(self, pipeline, Begin::one(kind, operation, message), &place);
        sending.describe(message, existing.unwrap_or(&sending.context()));
        sending
    }

    /// Begins to handle a message: reads the context from its headers and opens the span.
    ///
    /// Headers that make no sense are counted by the propagator; the message is handled like one that has none.
    pub fn process(&self, operation: &'static str, message: &Message<'_>, headers: &dyn Carrier) -> Processing {
        let pipeline = Pipeline::current();
        let creation = self.creation(headers, &pipeline);
        self.process_in(operation, message, &creation, pipeline)
    }

    pub(crate) fn process_in(
        &self,
        operation: &'static str,
        message: &Message<'_>,
        creation: &Creation,
        pipeline: Pipeline,
    ) -> Processing {
        let place = self.0.relation.place(creation, &Context::current());
        let processing = Operation::begin(self, pipeline, Begin::one(Kind::Process, operation, message), &place);
        processing.describe(message, &place.context);
        processing
    }

    /// Begins to handle several messages at once: the span links to the sender of each.
    pub fn process_batch<'a>(
        &self,
        operation: &'static str,
        messages: impl IntoIterator<Item = (Message<'a>, &'a dyn Carrier)>,
    ) -> Processing {
        let pipeline = Pipeline::current();
        let read = |(message, headers): (Message<'a>, &dyn Carrier)| (message, self.creation(headers, &pipeline));
        let messages: Vec<_> = messages.into_iter().map(read).collect();
        self.batch_in(Kind::Process, operation, &messages, pipeline)
    }

    /// A span that links to the sender of each of `messages`.
    pub(crate) fn batch_in(
        &self,
        kind: Kind,
        operation: &'static str,
        messages: &[(Message<'_>, Creation)],
        pipeline: Pipeline,
    ) -> Operation {
        let place = Place { context: batch_context(messages), links: Vec::new() };
        let batch = Operation::begin(self, pipeline, Begin::batch(kind, operation, messages), &place);
        batch.link_batch(messages);
        batch
    }

    /// Begins to fetch messages from `destination`, at the application's demand. Link the messages that came with
    /// [`Operation::received`].
    pub fn receive(&self, operation: &'static str, destination: &str) -> Operation {
        let place = Place { context: Context::current(), links: Vec::new() };
        let message = Message::to(destination);
        Operation::begin(self, Pipeline::current(), Begin::one(Kind::Receive, operation, &message), &place)
    }

    /// Begins to tell the broker what became of a message: `ack`, `nack`, `reject`. The span links to the sender.
    pub fn settle(&self, operation: &'static str, message: &Message<'_>, headers: &dyn Carrier) -> Operation {
        let pipeline = Pipeline::current();
        let creation = self.creation(headers, &pipeline);
        let ambient = Context::current();
        let place = Relation::Link.place(&creation, &ambient);
        // Settling is the consumer's own act: it stays in the consumer's story where there is one.
        let context = if ambient.span().is_some() { ambient } else { place.context };
        let place = Place { context, links: place.links };
        let settling = Operation::begin(self, pipeline, Begin::one(Kind::Settle, operation, message), &place);
        settling.describe(message, &creation.context);
        settling
    }

    pub(crate) fn creation(&self, headers: &dyn Carrier, pipeline: &Pipeline) -> Creation {
        let context = pipeline.propagator().extract(headers, &self.0.edge);
        let correlated = context.correlation_id().is_some_and(|id| brings(headers, pipeline, id));
        Creation { context, correlated }
    }
}

/// What a batch is handled in: the current span, and the correlation id that all messages share, if they do.
fn batch_context(messages: &[(Message<'_>, Creation)]) -> Context {
    let ambient = Context::current();
    let mut ids = messages.iter().map(|(_, creation)| creation.context.correlation_id());
    let first = ids.next().flatten();
    match first {
        Some(id) if ids.all(|other| other.map(CorrelationId::as_str) == Some(id.as_str())) => {
            ambient.with_correlation_id(id.clone())
        }
        _ if ambient.correlation_id().is_none() => ambient.with_correlation_id(CorrelationId::generate()),
        _ => ambient,
    }
}

/// Whether any of our fields is there at all, so that most messages to be sent needn't be read first.
fn present(headers: &dyn Carrier, pipeline: &Pipeline) -> bool {
    let mut found = false;
    for name in pipeline.propagator().fields() {
        headers.get_all(name.as_ref(), &mut |_| found = true);
    }
    found
}

/// Whether `id` stands in the headers, or was made up because none did.
fn brings(headers: &dyn Carrier, pipeline: &Pipeline, id: &CorrelationId) -> bool {
    let mut found = false;
    for name in pipeline.propagator().fields() {
        headers.get_all(name.as_ref(), &mut |value| found |= value.trim_ascii() == id.as_str().as_bytes());
    }
    found
}

/// The links of a message's own context, for whoever needs just those.
pub(crate) fn sender(creation: &Creation) -> Option<&SpanContext> {
    creation.context.span()
}
