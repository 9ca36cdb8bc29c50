//! URLs and queries: a secret is gone wherever it stands, and what was clean stays as it is.

#![no_main]

use libfuzzer_sys::fuzz_target;
use throughline_core::redact;

const SECRET: &str = "pl4nted";

fuzz_target!(|text: &str| {
    let once = redact::url_full(text).into_owned();
    assert_eq!(redact::url_full(&once), once);
    let clean = redact::query(text).into_owned();
    assert_eq!(redact::query(&clean), clean);
    if text.contains(SECRET) {
        return;
    }
    assert!(!redact::query(&format!("{text}&token={SECRET}")).contains(SECRET));
    assert!(!redact::url_full(&format!("http://h/?{text}&access%5Ftoken={SECRET};{text}")).contains(SECRET));
    let user: String = text.chars().filter(|one| !matches!(one, '/' | '\\' | '?' | '#')).collect();
    assert!(!redact::url_full(&format!("http://{user}{SECRET}@host/")).contains(SECRET));
});
