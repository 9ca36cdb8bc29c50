//! The arrows between the crates: who may depend on whom, and what the core must not pull in.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

use std::{
    collections::{BTreeMap, BTreeSet},
    process::Command,
};

use serde_json::Value;

/// Every crate and the workspace crates that it may depend on, tests aside.
const ARROWS: &[(&str, &[&str])] = &[
    ("throughline-core", &[]),
    ("throughline-http", &["throughline-core"]),
    ("throughline-logs", &["throughline-core"]),
    ("throughline-messaging", &["throughline-core"]),
    ("throughline-otlp", &["throughline-core", "throughline-otlp-json"]),
    ("throughline-otlp-json", &[]),
    ("throughline-receiver", &["throughline-otlp-json"]),
    ("throughline-resilience", &["throughline-core"]),
    ("throughline-sqlx", &["throughline-core"]),
    (
        "throughline-testing",
        &["throughline-core", "throughline-logs", "throughline-otlp", "throughline-receiver"],
    ),
    (
        "throughline",
        &[
            "throughline-core",
            "throughline-http",
            "throughline-logs",
            "throughline-messaging",
            "throughline-otlp",
            "throughline-resilience",
            "throughline-sqlx",
        ],
    ),
];

/// What must never be below the core, whatever the features: no runtime, no HTTP, no OpenTelemetry.
const NOT_BELOW_CORE: &[&str] =
    &["tokio", "async-std", "smol", "http", "hyper", "axum", "tower", "tonic", "reqwest"];

#[test]
fn crates_depend_only_along_the_arrows() {
    let metadata = cargo(&["metadata", "--format-version=1", "--no-deps"]);
    let packages = dependencies(&metadata);
    for (name, allowed) in ARROWS {
        let found = &packages[*name];
        let allowed: BTreeSet<String> = allowed.iter().map(|name| (*name).to_owned()).collect();
        let stray: Vec<_> = found.difference(&allowed).collect();
        assert!(stray.is_empty(), "{name} must not depend on {stray:?}");
    }
}

#[test]
fn every_library_crate_has_its_arrows() {
    let metadata = cargo(&["metadata", "--format-version=1", "--no-deps"]);
    let known: BTreeSet<&str> = ARROWS.iter().map(|(name, _)| *name).collect();
    for name in dependencies(&metadata).keys().filter(|name| name.starts_with("throughline")) {
        assert!(known.contains(name.as_str()), "{name} has no row in ARROWS");
    }
}

#[test]
fn the_core_pulls_in_no_framework_and_no_runtime() {
    let tree =
        cargo(&["tree", "-p", "throughline-core", "--all-features", "-e", "normal", "--prefix", "none"]);
    let below: BTreeSet<&str> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
    let stray: Vec<_> = below
        .iter()
        .filter(|name| NOT_BELOW_CORE.contains(name) || name.starts_with("opentelemetry"))
        .collect();
    assert!(stray.is_empty(), "throughline-core must not pull in {stray:?}");
}

/// The names of the workspace's packages with the workspace packages they depend on, dev-dependencies aside.
fn dependencies(metadata: &str) -> BTreeMap<String, BTreeSet<String>> {
    let metadata: Value = serde_json::from_str(metadata).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    packages
        .iter()
        .map(|package| {
            let ours = package["dependencies"]
                .as_array()
                .unwrap()
                .iter()
                .filter(|dependency| dependency["kind"].as_str() != Some("dev"))
                .map(|dependency| text(&dependency["name"]))
                .filter(|name| name.starts_with("throughline"));
            (text(&package["name"]), ours.collect())
        })
        .collect()
}

fn cargo(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO"))
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}
