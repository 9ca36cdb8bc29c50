//! Names of our own: `correlation.id`, what stands under `throughline.`, and what `tracing` calls its own.
//!
//! `semconv/own.json` is the registry of these names: a new one goes into both.

super::names! {
    /// `correlation.id`: the id that survives where a trace does not.
    CORRELATION_ID = "correlation.id",
    /// `level`: how severe an event on a span is.
    EVENT_LEVEL = "level",
    /// `target`: the part of the program that an event on a span comes from.
    EVENT_TARGET = "target",
    /// `throughline.http.end`: how a server's span ended: complete, client gone, error or panic.
    HTTP_END = "throughline.http.end",
    /// `throughline.http.messages`: how many messages a session has had: chunks of an event stream, or what
    /// its handler counted.
    HTTP_MESSAGES = "throughline.http.messages",
    /// `throughline.http.time_to_first_byte_ms`: milliseconds from the request to the head of its response.
    HTTP_TIME_TO_FIRST_BYTE_MS = "throughline.http.time_to_first_byte_ms",
    /// `throughline.messaging.end`: how the handling of a message ended.
    MESSAGING_END = "throughline.messaging.end",
    /// `throughline.messaging.left_out`: fields of the context that would have made the message too long.
    MESSAGING_LEFT_OUT = "throughline.messaging.left_out",
    /// `throughline.messaging.queue_time_ms`: how long a message waited, in milliseconds.
    MESSAGING_QUEUE_TIME_MS = "throughline.messaging.queue_time_ms",
    /// `throughline.messaging.redelivered`: that a message was delivered before.
    MESSAGING_REDELIVERED = "throughline.messaging.redelivered",
    /// `throughline.rpc.end`: how a call ended: complete, client gone, cancelled, error or panic.
    RPC_END = "throughline.rpc.end",
}
