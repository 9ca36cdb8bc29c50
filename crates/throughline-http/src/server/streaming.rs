//! Responses that go on for long.

use http::{HeaderMap, HeaderValue, header};
use throughline_core::{
    SpanExt,
    semconv::{http as names, own},
};
use tracing::Span;

use super::{exchange::Exchange, session::OpenSession};
use crate::flight::{End, Flight, InFlight};

/// How an event stream (`text/event-stream`) looks in a trace.
///
/// A stream may last for hours, and a span is exported when it ends. Its response is recognised by its `content-type`;
/// all other responses end their span with their last byte. An upgraded connection ends it with the 101, whatever the
/// mode; what follows on the connection is a [`Session`](super::Session).
///
/// ```text
/// Whole                                      Handshake
/// GET /orders/events   40 min                GET /orders/events   2 ms
///   · progress  messages=1   bytes=52
///   · progress  messages=10  bytes=518       GET /orders/events stream   40 min, a trace of its own,
///   · progress  messages=100 bytes=5170        linked to the request
/// ```
///
/// In both, a client that goes away is the usual end of a stream and no error: `throughline.http.end` is
/// `client_gone`, the status stays unset.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Streaming {
    /// The request's span lasts as long as the stream, with an event `progress` at the first, the tenth, the hundredth
    /// chunk and so on: at most [`PROGRESS_EVENTS_MAX`] of them.
    #[default]
    Whole,
    /// The request's span, its duration and the gauge of active requests end with the head of the response. The stream
    /// is a span of its own in a trace of its own, linked to the request, with the same correlation id.
    Handshake,
}

/// The most `progress` events that a stream puts on its span.
pub const PROGRESS_EVENTS_MAX: usize = 20;

/// Whether a response is an event stream.
pub(super) fn is_event_stream(headers: &HeaderMap) -> bool {
    let value = headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
    let essence = value.split(|byte| *byte == b';').next().unwrap_or_default();
    essence.trim_ascii().eq_ignore_ascii_case(b"text/event-stream")
}

/// How far a stream has come.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Progress {
    messages: u64,
    bytes: u64,
}

impl Progress {
    /// One more chunk passed.
    pub(super) fn pass(&mut self, bytes: u64) {
        self.messages += 1;
        self.bytes += bytes;
    }

    /// Puts an event on `span` at every power of ten, of which a counter of 64 bits has twenty.
    pub(super) fn report(self, span: &Span) {
        if self.messages == 10_u64.saturating_pow(self.messages.ilog10()) {
            let so_far = [
                (own::HTTP_MESSAGES, self.messages.into()),
                (names::HTTP_RESPONSE_BODY_SIZE, self.bytes.into()),
            ];
            span.edit(|record| record.event("progress", &so_far));
        }
    }

    /// How many chunks have passed.
    pub(super) const fn messages(self) -> u64 {
        self.messages
    }
}

/// What a body is sent under.
#[derive(Debug)]
pub(super) enum Sending {
    /// The request that it answers.
    Request(Box<Exchange>),
    /// A stream that goes on after its request has ended.
    Stream(Box<OpenSession>),
}

impl InFlight for Sending {
    fn flight(&mut self) -> &mut Flight {
        match self {
            Self::Request(exchange) => exchange.flight(),
            Self::Stream(session) => session.flight(),
        }
    }

    fn passed(&mut self, bytes: u64) {
        match self {
            Self::Request(exchange) => exchange.passed(bytes),
            Self::Stream(session) => session.passed(bytes),
        }
    }

    fn finish(&mut self, end: End) {
        match self {
            Self::Request(exchange) => exchange.finish(end),
            Self::Stream(session) => session.finish(end),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_stream_is_known_by_its_type() {
        for (content_type, expected) in [
            ("text/event-stream", true),
            ("Text/Event-Stream ; charset=utf-8", true),
            ("text/event-streams", false),
            ("application/json", false),
            ("", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
            assert_eq!(is_event_stream(&headers), expected, "{content_type}");
        }
        assert!(!is_event_stream(&HeaderMap::new()));
    }
}
