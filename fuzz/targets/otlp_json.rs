//! The receiver's JSON: any bytes are spans or an error; only JSON is accepted.

#![no_main]

use libfuzzer_sys::fuzz_target;
use throughline_receiver::decode_spans_json;

fuzz_target!(|request: &[u8]| {
    if let Ok(spans) = decode_spans_json(request) {
        assert!(serde_json::from_slice::<serde_json::Value>(request).is_ok());
        spans.iter().for_each(|span| assert!(!format!("{span:?}").is_empty()));
    }
});
