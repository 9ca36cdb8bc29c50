//! A transactional outbox.

mod attempt;
mod backoff;
mod columns;
mod counters;
mod database;
pub(crate) mod dialect;
pub(crate) mod error;
mod event;
mod lease;
mod relay;
mod replay;
mod resume;
mod retention;
mod state;
mod statements;
mod store;
pub(crate) mod stored_event;
pub(crate) mod table;
mod work;

pub use backoff::{BACKOFF_FIRST, BACKOFF_MAX, Backoff};
pub use counters::RelayCounters;
pub use dialect::Dialect;
pub use error::OutboxError;
pub use event::{Event, KEY_BYTES_MAX};
pub use relay::{
    ATTEMPTS_MAX, BATCH_MAX, LEASE, Order, POLL_INTERVAL, PUBLISH_TIMEOUT, RETENTION, Relay, RelayBuilder,
    RelayHandle, TRACE_AGE_MAX,
};
pub use replay::Replay;
pub use retention::DELETE_ROWS_MAX;
pub use state::OutboxState;
pub use stored_event::StoredEvent;
pub use table::{Outbox, PAYLOAD_BYTES_MAX, TABLE};

/// What `messaging.system` says of the outbox: a name of our own.
const SYSTEM: &str = "outbox";
