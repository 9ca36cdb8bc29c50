//! `tracestate`: what is accepted reads the same again, and is text that may stand in a header.

#![no_main]

use libfuzzer_sys::fuzz_target;
use throughline_core::{TRACESTATE_MEMBERS_MAX, Tracestate};

fuzz_target!(|value: &[u8]| {
    let Ok(state) = Tracestate::parse(value) else { return };
    assert!(state.as_str().bytes().all(|byte| matches!(byte, b' '..=b'~' | b'\t')));
    assert!(state.as_str().split(',').count() <= TRACESTATE_MEMBERS_MAX);
    let again = Tracestate::parse(state.as_str().as_bytes()).expect("what is passed on is valid");
    assert_eq!(again.as_str(), state.as_str());
});
