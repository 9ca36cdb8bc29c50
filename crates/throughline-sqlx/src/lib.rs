//! Database hops: a span for each statement, and an outbox that carries the context of a write through a table.

// An event beside a write, and a consumer that takes it once.
pub mod inbox;
pub mod outbox;
