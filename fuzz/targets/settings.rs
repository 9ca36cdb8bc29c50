//! `settings`: a filter and a list of formats are read or refused, and each name that is refused is one warning.

#![no_main]

use libfuzzer_sys::fuzz_target;
use throughline_core::{FILTER_BYTES_MAX, Propagator, env::Environment, parse_filter};

fuzz_target!(|input: &[u8]| {
    let text = String::from_utf8_lossy(input);
    if let Ok(filter) = parse_filter(&text) {
        assert!(text.trim().len() <= FILTER_BYTES_MAX);
        // What is in force can be written down and read again.
        assert!(parse_filter(&filter.to_string()).is_ok(), "{filter}");
    }
    let environment = Environment::from_pairs([("OTEL_PROPAGATORS", text.as_ref())]);
    let mut warnings = Vec::new();
    let propagator = Propagator::default().environment(&environment, &mut warnings);
    assert!(warnings.len() <= text.split(',').count(), "{warnings:?}");
    assert!(propagator.fields().count() < 32);
});
