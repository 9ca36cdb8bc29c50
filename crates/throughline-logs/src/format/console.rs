//! A line for people.

use tracing::Level;

use super::{Head, Preset, Tally, tally};
use crate::{
    escape, foreign,
    foreign::Written,
    key::Key,
    limits::{Limits, NAME_BYTES_MAX},
    span_fields::Piece,
    value::Raw,
};

/// `2026-11-24T09:30:00.123456Z  INFO orders::api: order accepted order_id=7 correlation_id=… trace=0af76519 span=b7ad6b71`
///
/// The ids are shortened: enough to tell two requests apart by eye. Whoever wants to search by them takes another preset.
#[derive(Debug)]
pub(crate) struct Console {
    colour: bool,
}

impl Console {
    pub(crate) const fn new(colour: bool) -> Self {
        Self { colour }
    }

    fn dim(&self, out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
        self.coloured(out, "2", write);
    }

    fn coloured(&self, out: &mut Vec<u8>, code: &str, write: impl FnOnce(&mut Vec<u8>)) {
        if !self.colour {
            return write(out);
        }
        out.extend_from_slice(b"\x1b[");
        out.extend_from_slice(code.as_bytes());
        out.push(b'm');
        write(out);
        out.extend_from_slice(b"\x1b[0m");
    }
}

/// How many digits of an id are shown.
const SHORT_ID_LEN: usize = 8;
/// Up to the microsecond: `2026-11-24T09:30:00.123456`.
const SHORT_TIME_LEN: usize = 26;

impl Preset for Console {
    const FIXED_KEYS: &'static [&'static str] =
        &["message", "correlation_id", "trace", "span", super::TRUNCATED, super::DROPPED, super::SUPPRESSED];
    const IS_JSON: bool = false;

    fn open(&self, out: &mut Vec<u8>, head: &Head<'_>) {
        self.dim(out, |out| {
            out.extend_from_slice(head.time.get(..SHORT_TIME_LEN).unwrap_or_default());
            out.push(b'Z');
        });
        out.push(b' ');
        let (colour, level) = match head.level {
            Level::TRACE => ("35", b"TRACE"),
            Level::DEBUG => ("34", b"DEBUG"),
            Level::INFO => ("32", b" INFO"),
            Level::WARN => ("33", b" WARN"),
            Level::ERROR => ("31", b"ERROR"),
        };
        self.coloured(out, colour, |out| out.extend_from_slice(level));
        out.push(b' ');
        self.dim(out, |out| {
            escape::bare(out, foreign::before(head.target, NAME_BYTES_MAX));
            out.push(b':');
        });
    }

    fn message(&self, out: &mut Vec<u8>, value: Raw<'_>, limits: &Limits) -> Written {
        out.push(b' ');
        value.text::<false>(out, limits)
    }

    fn rest(&self, _: &mut Vec<u8>, _: &Head<'_>) {}

    fn key(&self, out: &mut Vec<u8>, key: Key, _: &[u8]) {
        out.push(b' ');
        self.dim(out, |out| {
            key.append(out);
            out.push(b'=');
        });
    }

    fn ready(&self, out: &mut Vec<u8>, piece: &Piece<'_>) {
        self.key(out, piece.key, &[]);
        out.extend_from_slice(piece.value());
    }

    fn close(&self, out: &mut Vec<u8>, head: &Head<'_>, missing: Tally) {
        tally(self, out, head, missing);
        if let Some(id) = head.correlation_id {
            self.key(out, Key::new("correlation_id"), &[]);
            out.extend_from_slice(id.as_str().as_bytes());
        }
        if let Some(span) = head.span {
            let (trace_id, span_id) = (span.trace_id().hex(), span.span_id().hex());
            for (name, id) in [("trace", trace_id.as_slice()), ("span", &span_id)] {
                self.key(out, Key::new(name), &[]);
                out.extend_from_slice(id.get(..SHORT_ID_LEN).unwrap_or_default());
            }
        }
        out.push(b'\n');
    }
}
