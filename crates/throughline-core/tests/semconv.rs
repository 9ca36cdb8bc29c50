//! The names that we export are those of the semantic conventions we say we follow.

use std::collections::HashMap;

use serde_json::Value;
use throughline_core::{
    redact::{Redactor, Verdict},
    semconv::{self, code, db, error, http, messaging, otel, own, resource},
};

const CONVENTIONS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/data/semconv-1.44.0.json");

const OWN: &str = include_str!("../semconv/own.json");

fn conventions() -> Value {
    let text = std::fs::read(CONVENTIONS).expect("tests/data has the conventions");
    serde_json::from_slice(&text).expect("they are JSON")
}

fn registered(conventions: &Value) -> HashMap<&str, &Value> {
    let attributes = conventions["attributes"].as_array().expect("a list of attributes");
    attributes.iter().map(|attribute| (attribute["name"].as_str().expect("a name"), attribute)).collect()
}

#[test]
fn the_schema_is_the_one_that_the_names_are_checked_against() {
    assert_eq!(conventions()["schema_url"], semconv::SCHEMA_URL);
}

#[test]
fn every_name_is_registered_and_not_deprecated() {
    let conventions = conventions();
    let registered = registered(&conventions);
    for name in [code::ALL, db::ALL, error::ALL, http::ALL, messaging::ALL, otel::ALL, resource::ALL].concat()
    {
        let attribute = registered.get(name).unwrap_or_else(|| panic!("{name} is not registered"));
        assert!(attribute.get("deprecated").is_none(), "{name} is deprecated");
    }
}

/// Where they stand alone they are not ours to prefix: this is what `tracing` and its bridges call them.
const NOT_PREFIXED: [&str; 3] = [own::CORRELATION_ID, own::EVENT_LEVEL, own::EVENT_TARGET];

#[test]
fn names_of_our_own_are_not_registered_by_others() {
    let conventions = conventions();
    let registered = registered(&conventions);
    for name in own::ALL {
        assert!(!registered.contains_key(name), "{name} is registered");
        assert!(
            NOT_PREFIXED.contains(name) || name.starts_with("throughline."),
            "{name} is outside our namespace"
        );
    }
}

#[test]
fn no_name_of_the_conventions_is_denied_but_session_ids() {
    let (conventions, redactor) = (conventions(), Redactor::default());
    let names =
        conventions["attributes"].as_array().expect("a list").iter().filter_map(|one| one["name"].as_str());
    let denied: Vec<_> = names.filter(|name| redactor.judge(name) != Verdict::Keep).collect();
    assert_eq!(denied, ["mcp.session.id", "session.id"]);
}

#[test]
fn names_of_our_own_are_in_our_registry_and_no_others() {
    let registry: Value = serde_json::from_str(OWN).expect("the registry is JSON");
    let mut registered: Vec<_> = registry["attributes"]
        .as_array()
        .expect("a list of attributes")
        .iter()
        .map(|attribute| {
            let name = attribute["name"].as_str().expect("a name");
            assert!(is_type(&attribute["type"]), "{name} has a type that the conventions know");
            assert!(
                attribute["brief"].as_str().is_some_and(|brief| brief.ends_with('.')),
                "{name} is explained"
            );
            assert!(attribute["where"].as_array().is_some_and(|places| !places.is_empty()), "{name} is used");
            name
        })
        .collect();
    assert!(registered.is_sorted(), "the registry is in alphabetical order");
    let mut constants = own::ALL.to_vec();
    constants.sort_unstable();
    registered.dedup();
    assert_eq!(registered, constants, "semconv/own.json and src/semconv/own.rs have the same names");
}

fn is_type(kind: &Value) -> bool {
    const TYPES: [&str; 5] = ["string", "int", "double", "boolean", "string[]"];
    let is_enum = kind["enum"] == "string" && kind["members"].as_array().is_some_and(|list| !list.is_empty());
    is_enum || kind.as_str().is_some_and(|kind| TYPES.contains(&kind))
}
