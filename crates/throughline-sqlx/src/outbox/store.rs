//! Storing an event beside the write that made it happen.

use std::panic::Location;

use throughline_core::{
    Context, CorrelationId, OrphanKind, Pipeline, SpanExt, Status, expect_current,
    semconv::{error::ERROR_TYPE, messaging as names},
    with_remote,
};
use tracing::{Instrument, Span};
use uuid::Uuid;

use super::{
    Dialect, Event, Outbox, OutboxError, SYSTEM, columns::Columns, dialect::Argument, error::check_key,
};

impl<DB: Dialect> Outbox<DB> {
    /// Stores an event with its context, inside a `create` span, and returns its message id: a UUIDv7 that stays the same
    /// however often the event is relayed.
    ///
    /// Give it the transaction of the write: both are there after the commit, or neither. Write first, then store: where
    /// two transactions change the same thing, the order of their events is then the order of their writes. After the
    /// commit, [`wake`](Self::wake) saves the relay the wait.
    ///
    /// A transaction or connection of sqlx is given as `&mut transaction`, one of [this crate](crate::Transaction) as
    /// `transaction.inner_mut()`; the `create` span stands for the statement either way.
    ///
    /// The span says what was stored, not whether it was committed: a transaction that is rolled back leaves it behind.
    ///
    /// # Errors
    /// [`OutboxError::Key`] and [`OutboxError::PayloadTooLarge`], without a span and before anything was stored; [`OutboxError::Database`], after
    /// which some databases only allow to roll the transaction back.
    ///
    /// # Cancel safety
    /// When the future is dropped, the event may have been stored: roll the transaction back.
    #[track_caller]
    pub fn store(
        &self,
        connection: &mut DB::Connection,
        event: Event,
    ) -> impl Future<Output = Result<Uuid, OutboxError>> + Send {
        let caller = Location::caller();
        async move {
            self.check(&event)?;
            expect_current(OrphanKind::Message, caller, || format!("{CREATE} {}", event.topic));
            let id = Uuid::now_v7();
            let (span, context) = create_span(&event, id);
            let stored = self.insert(connection, &event, id, &context).instrument(span.clone()).await;
            if let Err(error) = &stored {
                span.edit(|record| {
                    record.status(Status::Error(""));
                    record.attribute(ERROR_TYPE, error.kind().into());
                });
            }
            stored.map(|()| id)
        }
    }

    async fn insert(
        &self,
        connection: &mut DB::Connection,
        event: &Event,
        id: Uuid,
        context: &Context,
    ) -> Result<(), OutboxError> {
        let pipeline = Pipeline::current();
        let mut columns = Columns::new(pipeline.propagator());
        pipeline.propagator().inject(context, &mut columns);
        let (id, more) = (id.to_string(), columns.more());
        let arguments = [
            Argument::Text(Some(&id)),
            Argument::Text(Some(&event.topic)),
            Argument::Text(event.key.as_deref()),
            Argument::Bytes(&event.payload),
            Argument::Text(columns.traceparent.as_deref()),
            Argument::Text(columns.tracestate.as_deref()),
            Argument::Text(columns.baggage.as_deref()),
            Argument::Text(columns.correlation_id.as_deref()),
            Argument::Text(more.as_deref()),
        ];
        DB::execute(connection, &self.statements().store, &arguments).await?;
        Ok(())
    }

    fn check(&self, event: &Event) -> Result<(), OutboxError> {
        check_key("topic", &event.topic)?;
        event.key.as_deref().map_or(Ok(()), |key| check_key("key", key))?;
        let (bytes, bytes_max) = (event.payload.len(), self.payload_bytes_max);
        if bytes > bytes_max { Err(OutboxError::PayloadTooLarge { bytes, bytes_max }) } else { Ok(()) }
    }
}

/// The span, and the context that goes into the row: the current one where spans are filtered out. An event from where
/// there is no correlation id gets a new one.
fn create_span(event: &Event, id: Uuid) -> (Span, Context) {
    let mut context = Context::current();
    if context.correlation_id().is_none() {
        context = context.with_correlation_id(CorrelationId::generate());
    }
    let (span, inside) = with_remote(&context, || {
        let span = tracing::info_span!(
            target: "throughline::outbox",
            "create",
            otel.name = format!("{CREATE} {}", event.topic),
            otel.kind = "producer",
            { names::MESSAGING_OPERATION_NAME } = CREATE,
            { names::MESSAGING_DESTINATION_NAME } = event.topic,
        );
        let inside = span.context();
        (span, inside)
    });
    let id = id.to_string();
    span.edit(|record| {
        record.attribute(names::MESSAGING_SYSTEM, SYSTEM.into());
        record.attribute(names::MESSAGING_OPERATION_TYPE, CREATE.into());
        record.attribute(names::MESSAGING_MESSAGE_ID, id.as_str().into());
        record.attribute(names::MESSAGING_MESSAGE_BODY_SIZE, event.payload.len().into());
        if let Some(correlation_id) = inside.correlation_id() {
            record.attribute(names::MESSAGING_MESSAGE_CONVERSATION_ID, correlation_id.as_str().into());
        }
    });
    (span, inside)
}

const CREATE: &str = "create";
