//! The receiver's protobuf: any bytes are spans or an error, and what was read can be shown.

#![no_main]

use libfuzzer_sys::fuzz_target;
use throughline_receiver::decode_spans;

fuzz_target!(|request: &[u8]| {
    if let Ok(spans) = decode_spans(request) {
        for span in spans {
            assert!(!format!("{span:?}").is_empty());
            span.attributes.iter().for_each(|(_, value)| drop(value.to_string()));
        }
    }
});
