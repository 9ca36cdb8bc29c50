//! Database hops: a span for each statement, and an outbox that carries the context of a write through a table.

// A span for each statement.
mod spans;

// An event beside a write, and a consumer that takes it once.
pub mod inbox;
pub mod outbox;

pub use spans::{Connection, Operation, Pool, PoolConnection, QueryText, Settings, System, Transaction};
