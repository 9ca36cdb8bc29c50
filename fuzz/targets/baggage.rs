//! `baggage`: what is kept reads the same after any number of hops, within the limits.

#![no_main]

use libfuzzer_sys::fuzz_target;
use throughline_core::{BAGGAGE_BYTES_MAX, BAGGAGE_MEMBERS_MAX, Baggage};

fuzz_target!(|value: &[u8]| {
    let (baggage, _dropped) = Baggage::parse(value);
    let header = baggage.to_header();
    assert!(header.len() <= BAGGAGE_BYTES_MAX && baggage.len() <= BAGGAGE_MEMBERS_MAX);
    assert!(header.bytes().all(|byte| matches!(byte, b' '..=b'~' | b'\t')));
    let (again, dropped) = Baggage::parse(header.as_bytes());
    assert_eq!((again.iter().collect::<Vec<_>>(), dropped), (baggage.iter().collect::<Vec<_>>(), 0));

    // A value of any characters survives a hop.
    let text = String::from_utf8_lossy(value);
    if let Ok(own) = Baggage::default().insert("key", &text) {
        assert_eq!(Baggage::parse(own.to_header().as_bytes()).0.get("key"), Some(&*text));
    }
});
