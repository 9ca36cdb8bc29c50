//! Database hops: a span for each statement, and an outbox that carries the context of a write through a table.
