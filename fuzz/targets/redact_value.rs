//! Secrets by name and by form: any name is judged, and a secret among any words is found.

#![no_main]

use libfuzzer_sys::fuzz_target;
use throughline_core::redact::{Redactor, SecretValues, Verdict, is_denied};

fuzz_target!(|text: &str| {
    let redactor = Redactor::default();
    assert_eq!(redactor.judge(text) == Verdict::Replace, is_denied(text));
    assert!(is_denied(&format!("{text}.password")));

    let values = SecretValues::all();
    let once = values.hidden(text).into_owned();
    assert_eq!(values.hidden(&once), once);
    for secret in ["eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmVk", "378282246310005"] {
        assert!(!values.hidden(&format!("{text} {secret} {text}")).contains(secret) || text.contains(secret));
    }
});
