//! The examples are in `examples/`, one file a task; this crate has no code of its own.
