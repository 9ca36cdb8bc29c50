//! The correlation id: what is accepted can be written into a line or a header as it is.

#![no_main]

use libfuzzer_sys::fuzz_target;
use throughline_core::{CORRELATION_ID_LEN_MAX, CorrelationId};

fuzz_target!(|value: &[u8]| {
    let Some(id) = CorrelationId::parse(value) else { return };
    assert_eq!(id.as_str().as_bytes(), value);
    assert!((1..=CORRELATION_ID_LEN_MAX).contains(&value.len()));
    assert!(value.iter().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\')));
});
