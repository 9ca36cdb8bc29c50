//! The JSON layer: any bytes in, one line of valid JSON out, in every format.

#![no_main]

use std::fmt;

use libfuzzer_sys::fuzz_target;
use throughline_core::{ContextLayer, Pipeline};
use throughline_logs::{Format, JsonLayer, Memory};
use tracing_subscriber::prelude::*;

const FORMATS: [Format; 7] = [
    Format::Plain,
    Format::Otel,
    Format::Ecs,
    Format::Gcp,
    Format::Datadog,
    Format::OtlpJson,
    Format::Console,
];

fuzz_target!(|input: &[u8]| {
    let (pick, bytes) = input.split_first().unwrap_or((&0, &[]));
    let format = FORMATS[usize::from(*pick) % FORMATS.len()];
    let text = String::from_utf8_lossy(bytes);
    let memory = Memory::new();
    let layer = JsonLayer::builder(text.to_string())
        .format(format)
        .field_bytes_max(usize::from(*pick))
        .writer(memory.clone())
        .build();
    let subscriber =
        tracing_subscriber::registry().with(ContextLayer::new(Pipeline::builder().build())).with(layer);
    tracing::subscriber::with_default(subscriber, || {
        let number = bytes.iter().fold(0_u64, |all, byte| all << 8 | u64::from(*byte));
        let span = tracing::info_span!(
            "span",
            text = &*text,
            level = number,
            password = &*text,
            late = tracing::field::Empty
        );
        span.record("late", tracing::field::debug(&text));
        let _entered = span.enter();
        tracing::info!(
            text = ?text, bytes, float = f64::from_bits(number), pieces = %Pieces(bytes), timestamp = number, "{text}"
        );
    });
    let written = memory.text();
    assert_eq!(written.matches('\n').count(), 1, "{written}");
    let line = written.strip_suffix('\n').expect("a line ends");
    assert!(!line.contains(|one: char| one.is_ascii_control()), "{line:?}");
    if format != Format::Console {
        let parsed: serde_json::Value = serde_json::from_str(line).expect("a line is JSON");
        assert!(parsed.is_object());
    }
});

/// A `Display` that writes in many small pieces.
struct Pieces<'a>(&'a [u8]);

impl fmt::Display for Pieces<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{}", char::from(*byte)))
    }
}
