//! A transactional outbox: events that are told to others exactly when the write that made them is there.
//!
//! Who writes to a database and then sends a message loses one of the two now and then: the process may die in between, or the
//! broker be away. An outbox puts the event into a table, in the same transaction as the write. A relay takes it from there to
//! the broker, as often as it needs, without the user who waits for the write.
//!
//! ```text
//! request                             database                                     relay (one at a time)
//! POST /orders
//! ├─ INSERT INTO orders ────────────► orders
//! ├─ create order.created  PRODUCER ► throughline_outbox                           lease ◄─ throughline_outbox_lease
//! └─ COMMIT                           │ position  message_id  topic  key  payload   │
//!    wake ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ │ traceparent  tracestate  baggage  corr. id ─► relay order.created  CONSUMER
//!                                     │ state: waiting                              │  a child of create; waited 12 ms
//!                                     │        relayed ◄──────── done ──────────────┤  └─ publish order.created  PRODUCER
//!                                     │        waiting, next attempt at ◄─ failed ──┤     your closure, any broker
//!                                     │        dead, last error ◄─ no attempt left ─┘
//! ```
//!
//! 1. [`Outbox::store`] opens a `create` span and inserts a row with the event and its context, each part in a column, through
//!    the same [`Propagator`](throughline_core::Propagator) as a header would be: with its formats, names and limits.
//! 2. After the commit, [`Outbox::wake`] rings for the relay of this process. Without it the relay polls.
//! 3. One [`Relay`] of all that run on the table has the lease. It reads a batch in the order of storing.
//! 4. For each event it opens a `relay` span where the event's context left off, and calls your closure inside.
//! 5. The row becomes relayed; or it waits, with a growing pause, and holds up those behind it ([`Order`]); or, after
//!    [`ATTEMPTS_MAX`] attempts, it is dead.
//!
//! `messaging.system` of both spans is `outbox`. Polling makes no spans.
//!
//! # What holds
//!
//! - **Together or not at all**: the event is there if and only if the transaction was committed.
//! - **At least once**: an event is handed on until the closure says `Ok` and the database has taken that down. Between the two
//!   a relay can die; the next one then hands the event on again. A consumer that must not do its work twice asks an
//!   [`Inbox`](crate::inbox::Inbox) with the message id, which stays the same.
//! - **Only what was committed**: the relay reads with its connection's isolation level, which must not be MySQL's
//!   `READ UNCOMMITTED`: it would hand on what may yet be rolled back.
//! - **In order**: of storing, and per outbox or per key. Two transactions that run at once have no order between them; what was
//!   committed is relayed, also when it has a lower position than what was relayed before. A relay that stands still for
//!   longer than its lease (a suspended machine) reads again what waits; only where its closure has already begun can it hand on
//!   one event after its successor did.
//! - **Parent or link**: a `relay` span is a child of its `create` span, so that there is one trace from the request to the last
//!   consumer; it begins a trace of its own with a link when the event is older than [`TRACE_AGE_MAX`], which is usual for
//!   a [replay](Outbox::replay) and for the end of a long outage. The correlation id and baggage are the same either way.
//!
//! # How an event can fail to arrive
//!
//! | what happens | what becomes of the event | where it shows |
//! |---|---|---|
//! | the transaction is rolled back | it was never there | the `create` span has no `relay` |
//! | topic, key or payload don't fit | refused | [`OutboxError::Key`], [`OutboxError::PayloadTooLarge`] |
//! | the closure fails, panics, is too slow | waits for its next attempt | [`RelayCounters::failed`], a warning, the span |
//! | no attempt is left | dead, kept, [`Replay::dead`] brings it back | [`RelayCounters::dead`], an error line, [`RelayBuilder::dead`] |
//! | it can't be read | dead, kept | [`RelayCounters::unreadable`], an error line |
//! | the database is away | waits | [`RelayCounters::database_failures`], a warning |
//! | it was handed on, but not marked | handed on again if the relay dies | [`RelayCounters::unmarked`] |
//! | old events can't be deleted | none the worse | [`RelayCounters::cleaning_failures`], a warning |
//! | no relay runs | waits | [`OutboxState::oldest_waiting`] |
//! | its context makes no sense | relayed, in a trace of its own | `PropagationCounters` of the pipeline |
//!
//! In metrics: `throughline.outbox.relays` by result and `error.type`, and `throughline.outbox.queue_time`.
//!
//! # Limits
//!
//! [`PAYLOAD_BYTES_MAX`], [`KEY_BYTES_MAX`], [`BATCH_MAX`], [`PUBLISH_TIMEOUT`], [`LEASE`], [`ATTEMPTS_MAX`], [`BACKOFF_MAX`],
//! [`RETENTION`], [`DELETE_ROWS_MAX`]. Each event costs one statement to store and one to mark. Times are the database's own,
//! so that the clocks of the processes don't matter.

// Storing.
mod columns;
mod event;
mod store;
pub(crate) mod table;

// Relaying.
mod attempt;
mod cleaning;
mod counters;
mod death;
mod lease;
mod relay;
mod resume;
mod since;
pub(crate) mod stored_event;
mod work;

// Looking after the table.
mod replay;
mod retention;
mod state;

// The database.
mod database;
pub(crate) mod dialect;
pub(crate) mod error;
mod statements;

pub use counters::RelayCounters;
pub use dialect::Dialect;
pub use error::OutboxError;
pub use event::{Event, KEY_BYTES_MAX};
pub use lease::LEASE_MAX;
pub use relay::{
    ATTEMPTS_MAX, BACKOFF_FIRST, BACKOFF_MAX, BATCH_MAX, LEASE, Order, POLL_INTERVAL, PUBLISH_TIMEOUT,
    RETENTION, Relay, RelayBuilder, RelayHandle, TRACE_AGE_MAX,
};
pub use replay::Replay;
pub use retention::DELETE_ROWS_MAX;
pub use state::OutboxState;
pub use stored_event::StoredEvent;
pub use table::{Outbox, PAYLOAD_BYTES_MAX, TABLE};
pub use throughline_core::Backoff;

/// What `messaging.system` says of the outbox: a name of our own.
const SYSTEM: &str = "outbox";
