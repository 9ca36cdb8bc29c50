//! Statements: any text is read, in bounds; a literal of any kind is hidden wherever it stands.

#![no_main]

use libfuzzer_sys::fuzz_target;
use throughline_core::sql::{SUMMARY_CHARS_MAX, TEXT_BYTES_MAX, sanitized, summary};

const SECRET: &str = "pl4nted";

fuzz_target!(|statement: &str| {
    let shown = sanitized(statement);
    assert!(shown.len() <= statement.len().min(TEXT_BYTES_MAX + '…'.len_utf8()));
    let short = summary(statement);
    assert!(short.chars().count() <= SUMMARY_CHARS_MAX);
    assert!(short.split([' ', '.']).all(|word| statement.contains(word)));

    // With nothing open before it, a literal is a literal.
    let before: String = statement.chars().filter(|one| !"'\"`$#-/\\*".contains(*one)).collect();
    if before.contains(SECRET) {
        return;
    }
    for literal in [
        format!("'{SECRET}'"),
        format!("N'it''s {SECRET}'"),
        format!("E'\\'{SECRET}'"),
        format!("$t${SECRET}$t$"),
        format!("/* {SECRET}"),
        format!("'{SECRET}"),
    ] {
        let text = sanitized(&format!("{before} {literal} {statement}"));
        assert!(!text.contains(SECRET) || statement.contains(SECRET), "{text}");
    }
});
