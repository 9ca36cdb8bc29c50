//! Events between the services over MQTT 5.
//!
//! ```text
//! outbox ─► relay ─► publisher ──► broker ──► consumer ─► attempt 1 … 4 ─► handler ─► acknowledged
//!                    waits for the            in order     each a span        │
//!                    broker's word                                            └─► <topic>.dead, then acknowledged
//! ```

mod attempts;
mod consumer;
mod handler;
mod link;
mod publisher;

pub(super) use consumer::Consumer;
pub(super) use handler::{Handled, Handler, Message};
pub(super) use publisher::EventPublisher;

/// The user property with the id that a message keeps however often it is sent.
const MESSAGE_ID: &str = "message-id";
