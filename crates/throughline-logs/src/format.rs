//! What a line looks like: the presets, each in a file of its own, and what they have in common.

mod console;
mod datadog;
mod ecs;
mod gcp;
mod json;
mod options;
mod otel;
mod otlp_json;
mod plain;
mod shape;
mod shaped;

use std::{error::Error, fmt, str::FromStr};

use throughline_core::{CorrelationId, Severity, SpanContext};
use tracing::Level;

pub use self::options::{DatadogIds, FieldPlace, SourceLocation};
pub(crate) use self::{
    console::Console,
    options::Options,
    otel::Otel,
    plain::Plain,
    shape::Shape,
    shaped::{ShapedLine, ShapedScratch},
};
use crate::{foreign::Written, key::Key, limits::Limits, span_fields::Piece, time::TimeText, value::Raw};

/// Which keys a line has, and in which order.
///
/// | | `Plain` | `Otel` | `Ecs` | `Gcp` | `Datadog` |
/// |---|---|---|---|---|---|
/// | time | `timestamp` | `timestamp` | `@timestamp` | `time` | `timestamp` |
/// | level | `level` | `severity_text`, `severity_number` | `log.level` | `severity` | `status` |
/// | message | `message` | `body` | `message` | `message` | `message` |
/// | service | `service` | `service.name` | `service.*`, `event.dataset` | `serviceContext` | `service`, `dd.*`, `ddtags`, `host` |
/// | correlation id | `correlation_id` | `correlation_id` | `labels.correlation_id` | a label | `correlation_id` |
/// | trace | `trace_id`, `trace_flags` | the same | `trace.id` | `logging.googleapis.com/trace`, `…/trace_sampled` | `trace_id`, `dd.trace_id` |
/// | span | `span_id` | `span_id` | `span.id`, `transaction.id` | `logging.googleapis.com/spanId` | `span_id`, `dd.span_id` |
/// | origin | `target` | `target` | `log.logger` | label `logger` | `logger.name` |
/// | errors | as they are | as they are | `error.*` | `stack_trace` | `error.*` |
/// | HTTP | as they are | as they are | the schema's names | `httpRequest` | `http.*` |
/// | fields | flat | in `attributes` | `labels`, strings | labels, strings | flat |
///
/// `OtlpJson` is OTLP's file format: one `LogsData` object a line. `Console` is for people: time to the microsecond,
/// level, target, message, `key=value`, and eight digits of the ids.
///
/// An ERROR with the target [`PANIC_TARGET`](throughline_core::PANIC_TARGET) is a panic: 21 and `FATAL` in the terms of
/// OpenTelemetry, `CRITICAL` in those of `Gcp`; the other formats write the level's own word.
///
/// The JSON Schema of each preset that writes JSON is in the crate's folder `schemas/`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// One flat JSON object.
    #[default]
    Plain,
    /// The names of OpenTelemetry's log data model.
    Otel,
    /// The Elastic Common Schema.
    Ecs,
    /// Google Cloud's structured logs.
    Gcp,
    /// Datadog's standard attributes.
    Datadog,
    /// OTLP's file format.
    OtlpJson,
    /// One line for people, not for parsers. Control characters are escaped here too.
    Console,
}

const NAMES: [(Format, &str); 7] = [
    (Format::Plain, "plain"),
    (Format::Otel, "otel"),
    (Format::Ecs, "ecs"),
    (Format::Gcp, "gcp"),
    (Format::Datadog, "datadog"),
    (Format::OtlpJson, "otlp-json"),
    (Format::Console, "console"),
];

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = NAMES.iter().find(|(format, _)| format == self).map_or("", |(_, name)| name);
        f.pad(name)
    }
}

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(text: &str) -> Result<Self, UnknownFormat> {
        let known = NAMES.iter().find(|(_, name)| name.eq_ignore_ascii_case(text));
        known.map(|(format, _)| *format).ok_or(UnknownFormat)
    }
}

/// The name of a [`Format`] that does not exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownFormat;

impl fmt::Display for UnknownFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "none of {}", NAMES.map(|(_, name)| name).join(", "))
    }
}

impl Error for UnknownFormat {}

/// What every line has, whatever its fields.
#[derive(Debug)]
pub(crate) struct Head<'a> {
    pub(crate) time: TimeText,
    pub(crate) unix_nanos: u64,
    pub(crate) level: Level,
    pub(crate) target: &'a str,
    pub(crate) file: Option<&'a str>,
    pub(crate) line_number: Option<u32>,
    pub(crate) span: Option<&'a SpanContext>,
    pub(crate) correlation_id: Option<&'a CorrelationId>,
    /// Whether the event came in through the `log` crate, which adds fields of its own.
    pub(crate) is_from_log: bool,
    /// How many lines like this one were left out before it.
    pub(crate) suppressed: u64,
}

impl Head<'_> {
    fn severity(&self) -> Severity {
        Severity::of(self.level, self.target)
    }
}

/// What is missing on a line.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tally {
    /// Values that were cut at the limit.
    pub(crate) truncated: u64,
    /// Fields that were left out.
    pub(crate) dropped: u64,
    /// Values whose formatting failed or panicked.
    pub(crate) failed: u64,
}

impl Tally {
    #[inline]
    pub(crate) const fn note(&mut self, written: Written) {
        match written {
            Written::Whole => {}
            Written::Cut => self.truncated += 1,
            Written::Failed => self.failed += 1,
        }
    }
}

/// How many values of the line were cut.
pub(crate) const TRUNCATED: &str = "log.truncated";
/// How many fields of the line were left out.
pub(crate) const DROPPED: &str = "log.dropped_fields";
/// How many lines like this one were left out before it.
pub(crate) const SUPPRESSED: &str = "log.suppressed";

/// The parts of a line, in the order in which they are written.
pub(crate) trait Preset: Send + Sync {
    /// The keys that no field can take.
    const FIXED_KEYS: &'static [&'static str];

    /// What stands before the message.
    fn open(&self, out: &mut Vec<u8>, head: &Head<'_>);
    fn message(&self, out: &mut Vec<u8>, value: Raw<'_>, limits: &Limits) -> Written;
    /// What stands between the message and the fields.
    fn rest(&self, out: &mut Vec<u8>, head: &Head<'_>);
    /// Whether fields stand on the line as they do in a span's text: `,"key":value`.
    const IS_JSON: bool;

    /// What stands before the JSON value of a field; `text` is `,"key":`.
    fn key(&self, out: &mut Vec<u8>, key: Key, text: &[u8]);
    /// A field that is serialised already.
    fn ready(&self, out: &mut Vec<u8>, piece: &Piece<'_>);
    /// What stands after the fields, the line's end included.
    fn close(&self, out: &mut Vec<u8>, head: &Head<'_>, tally: Tally);
}

/// Says on the line what is missing on it.
#[inline]
fn tally<P: Preset>(preset: &P, out: &mut Vec<u8>, head: &Head<'_>, tally: Tally) {
    let counts = [
        (TRUNCATED, ",\"log.truncated\":", tally.truncated),
        (DROPPED, ",\"log.dropped_fields\":", tally.dropped),
        (SUPPRESSED, ",\"log.suppressed\":", head.suppressed),
    ];
    for (name, text, count) in counts {
        if count > 0 {
            preset.key(out, Key::new(name), text.as_bytes());
            out.extend_from_slice(itoa::Buffer::new().format(count).as_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_format_is_read_by_its_name() {
        for (format, name) in NAMES {
            assert_eq!(name.parse(), Ok(format));
            assert_eq!(name.to_uppercase().parse(), Ok(format));
            assert_eq!(format.to_string(), name);
        }
        assert_eq!("json".parse::<Format>(), Err(UnknownFormat));
    }
}
