//! Message hops: what a request carries goes into a message, and out of it where it is handled.
//!
//! ```text
//! producer                                    broker          consumer
//! publish order.created   PRODUCER ──────── properties ─────► process order.created   CONSUMER
//!   the span's context goes into the message                    a child of publish: one trace
//! ```
//!
//! One line each way. Sending opens a span, writes `traceparent`, `tracestate`, `baggage` and `x-correlation-id` into the
//! message, and sends it. Processing reads them back, opens a span and runs your handler in it: its log lines, its
//! requests, its own messages belong to the same story, with the same correlation id. [`Relation`] says when one trace
//! goes through, and when a link takes its place; a batch is always linked to its senders.
//!
//! | transport | feature | send | process |
//! |---|---|---|---|
#![cfg_attr(
    feature = "channel",
    doc = "| in-process channel | `channel` | [`channel::Sender::send`] | [`channel::Delivery::process`] |"
)]
#![cfg_attr(
    not(feature = "channel"),
    doc = "| in-process channel | `channel` | `channel::Sender::send` | `channel::Delivery::process` |"
)]
#![cfg_attr(
    feature = "mqtt",
    doc = "| MQTT 5 (`rumqttc`) | `mqtt` | [`mqtt::Publisher::publish`] | [`mqtt::Subscriber::process`] |"
)]
#![cfg_attr(
    not(feature = "mqtt"),
    doc = "| MQTT 5 (`rumqttc`) | `mqtt` | `mqtt::Publisher::publish` | `mqtt::Subscriber::process` |"
)]
//! | any other | – | [`Endpoint::send`] | [`Endpoint::process`] |
//!
//! No feature is on by default. One contract suite, `tests/contract`, is run against each transport.
//!
//! ```
//! use throughline_messaging::{Endpoint, Message};
//!
//! # async fn example() -> Result<(), std::fmt::Error> {
//! let broker = Endpoint::new("stan").template("devices/{device}/state");
//! let mut headers: Vec<(String, String)> = Vec::new();
//!
//! let message = Message::to("devices/7/state");
//! let sending = broker.send("publish", &message, &mut headers); // the span `publish devices/{device}/state`
//! sending.run(async { /* send the message with its headers */ Ok::<_, std::fmt::Error>(()) }).await?;
//!
//! let processing = broker.process("process", &message, &headers); // its child
//! processing.run(async { tracing::info!("in the sender's trace"); Ok::<_, std::fmt::Error>(()) }).await?;
//! # Ok(())
//! # }
//! ```
//!
//! How an operation ended is on its span: an `Err` of the handler is a failure with its type, a panic and a dropped future
//! are told apart ([`Operation`]). Operations, their durations and the messages are measured where the pipeline has a
//! [`Recorder`](throughline_core::Recorder). Where spans are filtered out, the context passes through untouched.

// What happens to any message.
mod edge;
mod endpoint;
mod measures;
mod message;
mod operation;
mod outcome;
mod relation;
mod template;

// One file a transport.
#[cfg(feature = "channel")]
pub mod channel;
#[cfg(feature = "mqtt")]
pub mod mqtt;

pub use edge::{Edge, Incoming};
pub use endpoint::Endpoint;
pub use message::Message;
pub use operation::{Operation, Processing};
pub use outcome::{Failure, Outcome};
pub use relation::Relation;
