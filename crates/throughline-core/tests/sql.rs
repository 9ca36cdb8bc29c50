//! The official cases of the semantic conventions for sanitised statements and their summaries.

use serde_json::Value;
use throughline_core::sql;

const CASES: &str = include_str!("../../../tests/data/db-sql-test-cases.json");
/// So many there are in version 1.44.0.
const CASES_LEN: usize = 24;

#[test]
fn every_official_case_passes() {
    let cases: Vec<Value> = serde_json::from_str(CASES).expect("they are JSON");
    assert_eq!(cases.len(), CASES_LEN);
    for case in cases {
        let (name, query) = (&case["name"], case["input"]["query"].as_str().expect("a query"));
        let accepted = case["expected"]["db.query.text"].as_array().expect("a list of texts");
        let text = sql::sanitized(query);
        assert!(accepted.iter().any(|one| *one == text), "{name}: {text:?} is none of {accepted:?}");
        assert_eq!(case["expected"]["db.query.summary"], sql::summary(query), "{name}");
    }
}
