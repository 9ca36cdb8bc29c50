//! One side of a broker: what all messages that a producer sends, or a consumer gets, have in common.

use std::{panic::Location, sync::Arc};

use throughline_core::{
    Carrier, Context, CorrelationId, EdgePolicy, OrphanKind, Pipeline, Propagator, expect_current,
};

use crate::{
    Edge, Incoming, Message, Operation, Processing, Relation,
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
    templates: Templates,
    separator: char,
    relation: Relation,
    edge: Arc<dyn Edge>,
}

impl Settings {
    pub(crate) fn template_of(&self, destination: &str) -> Option<&str> {
        self.templates.find(destination, self.separator)
    }
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
            edge: Arc::new(EdgePolicy::default()),
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

    /// How far the headers of incoming messages are believed: an [`EdgePolicy`], or a closure that chooses one by the
    /// message. The default is to trust them.
    pub fn edge(self, edge: impl Edge) -> Self {
        self.change(|settings| settings.edge = Arc::new(edge))
    }

    /// For a broker that strangers send to: [`EdgePolicy::edge`], a new trace that links to theirs, without their baggage.
    pub fn public(self) -> Self {
        self.edge(EdgePolicy::edge())
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
    #[track_caller]
    pub fn send(
        &self,
        operation: &'static str,
        message: &Message<'_>,
        headers: &mut dyn Carrier,
    ) -> Operation {
        self.send_from(Location::caller(), operation, message, headers)
    }

    /// The same for a message that the application sent at `caller`.
    pub(crate) fn send_from(
        &self,
        caller: &'static Location<'static>,
        operation: &'static str,
        message: &Message<'_>,
        headers: &mut dyn Carrier,
    ) -> Operation {
        let pipeline = Pipeline::current();
        let propagator = pipeline.propagator();
        let existing =
            propagator.is_present(headers).then(|| propagator.extract(headers, &EdgePolicy::trust()));
        let sending = self.send_in(caller, operation, message, existing.as_ref(), &pipeline);
        if !sending.forwards() {
            propagator.inject(sending.context(), headers);
        }
        sending
    }

    /// Begins to send a message that was created in `existing`, or brings no more than a correlation id, or is new.
    pub(crate) fn send_in(
        &self,
        caller: &'static Location<'static>,
        operation: &'static str,
        message: &Message<'_>,
        existing: Option<&Context>,
        pipeline: &Pipeline,
    ) -> Operation {
        let its_own = existing.and_then(Context::correlation_id);
        let mut context = Context::current();
        if context.correlation_id().is_none() {
            context = context.with_correlation_id(its_own.cloned().unwrap_or_else(CorrelationId::generate));
        }
        let creator = existing.and_then(Context::span);
        if creator.is_none() {
            expect_current(OrphanKind::Message, caller, || format!("{operation} {}", message.destination));
        }
        let kind = if creator.is_some() { Kind::Forward } else { Kind::Send };
        let place = Place { context, links: creator.cloned().into_iter().collect() };
        let sending = Operation::begin(self, pipeline, Begin::one(kind, operation, message), &place);
        let conversation = if sending.forwards() { its_own } else { place.context.correlation_id() };
        sending.describe(message, conversation);
        sending
    }

    /// Begins to handle a message: reads the context from its headers and opens the span.
    ///
    /// Headers that make no sense are counted by the propagator; the message is handled like one that has none.
    pub fn process(
        &self,
        operation: &'static str,
        message: &Message<'_>,
        headers: &dyn Carrier,
    ) -> Processing {
        let pipeline = Pipeline::current();
        let creation = self.creation(message, headers, &pipeline);
        self.process_in(Begin::process(operation, message), message, &creation, &pipeline)
    }

    pub(crate) fn process_in(
        &self,
        begin: Begin<'_>,
        message: &Message<'_>,
        creation: &Creation,
        pipeline: &Pipeline,
    ) -> Processing {
        let place = self.0.relation.place(creation, &Context::current());
        let processing = Operation::begin(self, pipeline, begin, &place);
        processing.describe(message, place.context.correlation_id());
        processing
    }

    /// Begins to handle several messages at once: the span links to the sender of each.
    pub fn process_batch<'a>(
        &self,
        operation: &'static str,
        messages: impl IntoIterator<Item = (Message<'a>, &'a dyn Carrier)>,
    ) -> Processing {
        let pipeline = Pipeline::current();
        let messages = self.creations(messages, &pipeline);
        self.batch_in(Begin::batch(operation, &messages), &messages, &pipeline)
    }

    pub(crate) fn batch_in(
        &self,
        begin: Begin<'_>,
        messages: &[(Message<'_>, Creation)],
        pipeline: &Pipeline,
    ) -> Processing {
        let place = Place { context: batch_context(messages), links: Vec::new() };
        let batch = Operation::begin(self, pipeline, begin, &place);
        batch.link_batch(messages);
        batch
    }

    /// Begins to fetch messages from `destination`, when the application asks for them.
    ///
    /// Say with [`received`](Self::received) what came, before the operation ends.
    pub fn receive(&self, operation: &'static str, destination: &str) -> Operation {
        let place = Place { context: Context::current(), links: Vec::new() };
        let begin = Begin::one(Kind::Receive, operation, &Message::to(destination));
        Operation::begin(self, &Pipeline::current(), begin, &place)
    }

    /// Says which messages `receiving` brought: it counts them and links to their senders.
    pub fn received<'a>(
        &self,
        receiving: &Operation,
        messages: impl IntoIterator<Item = (Message<'a>, &'a dyn Carrier)>,
    ) {
        receiving.received(&self.creations(messages, &Pipeline::current()));
    }

    /// Begins to tell the broker what became of a message: `ack`, `nack`, `reject`. The span links to the sender.
    pub fn settle(&self, operation: &'static str, message: &Message<'_>, headers: &dyn Carrier) -> Operation {
        let pipeline = Pipeline::current();
        let creation = self.creation(message, headers, &pipeline);
        let place = Relation::Link.place(&creation, &Context::current());
        let settling =
            Operation::begin(self, &pipeline, Begin::one(Kind::Settle, operation, message), &place);
        settling.describe(message, place.context.correlation_id());
        settling
    }

    fn creations<'a>(
        &self,
        messages: impl IntoIterator<Item = (Message<'a>, &'a dyn Carrier)>,
        pipeline: &Pipeline,
    ) -> Vec<(Message<'a>, Creation)> {
        let creation = |(message, headers)| (message, self.creation(&message, headers, pipeline));
        messages.into_iter().map(creation).collect()
    }

    fn creation(&self, message: &Message<'_>, headers: &dyn Carrier, pipeline: &Pipeline) -> Creation {
        let edge = self.0.edge.policy(&Incoming::new(message, headers));
        let context = pipeline.propagator().extract(headers, &edge);
        let correlated =
            context.correlation_id().is_some_and(|id| brings(headers, pipeline.propagator(), id));
        Creation { context, correlated }
    }
}

/// What a batch is handled in: the current span, and the correlation id that all messages share, if they do.
fn batch_context(messages: &[(Message<'_>, Creation)]) -> Context {
    let ambient = Context::current();
    let brought = |creation: &Creation| {
        creation.correlated.then(|| creation.context.correlation_id().cloned()).flatten()
    };
    let mut ids = messages.iter().map(|(_, creation)| brought(creation));
    let first = ids.next().flatten();
    match first {
        Some(id) if ids.all(|other| other.as_ref() == Some(&id)) => ambient.with_correlation_id(id),
        _ if ambient.correlation_id().is_none() => ambient.with_correlation_id(CorrelationId::generate()),
        _ => ambient,
    }
}

/// Whether `id` stands in the headers, or was made up because none did.
fn brings(headers: &dyn Carrier, propagator: &Propagator, id: &CorrelationId) -> bool {
    let mut found = false;
    for name in propagator.correlation_names() {
        headers.get_all(name, &mut |value| found |= value.trim_ascii() == id.as_str().as_bytes());
    }
    found
}
