//! The files themselves: valid, free of old names, and as their README says.

use std::{collections::BTreeSet, fs, path::Path, process::Command};

use crate::stack::{Collector, Jaeger, config, programs};

/// What a Collector is started with: one file, or several on top of each other.
const COLLECTOR_FILES: [&[&str]; 4] =
    [&["minimal.yaml"], &["demo.yaml"], &["metrics.yaml"], &["metrics.yaml", "demo.yaml"]];

#[test]
fn every_file_is_valid() {
    let Some((collector, jaeger)) = programs("every_file_is_valid") else {
        return;
    };
    for files in COLLECTOR_FILES {
        validate(&collector, files);
    }
    validate(&jaeger, &["jaeger.yaml"]);
}

/// As on a laptop, and as in a container; nothing is bound.
fn validate(program: &Path, files: &[&str]) {
    for address in ["127.0.0.1", "0.0.0.0"] {
        let mut command = Command::new(program);
        command.arg("validate").env("BIND", address);
        for file in files {
            command.arg("--config").arg(config(file));
        }
        let output = command.output().expect("the program starts");
        assert!(output.status.success(), "{files:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

/// `validate` is silent about them; the log of a start is not.
#[test]
fn no_file_uses_a_deprecated_name() {
    let Some((collector, jaeger)) = programs("no_file_uses_a_deprecated_name") else {
        return;
    };
    for files in COLLECTOR_FILES {
        let folder = tempfile::tempdir().unwrap();
        assert_current(files, &Collector::start(&collector, files, 1, folder.path()).server.log());
    }
    let folder = tempfile::tempdir().unwrap();
    assert_current(&["jaeger.yaml"], &Jaeger::start(&jaeger, folder.path()).server.log());
}

fn assert_current(files: &[&str], log: &str) {
    assert!(log.contains("Everything is ready"), "{files:?}: no start-up log:\n{log}");
    let old: Vec<&str> = log.lines().filter(|line| line.to_lowercase().contains("deprecated")).collect();
    assert!(old.is_empty(), "{files:?}: {old:#?}");
}

#[test]
fn the_readme_lists_every_variable_with_its_default() {
    let readme = text("README.md");
    for file in ["minimal.yaml", "demo.yaml", "metrics.yaml", "jaeger.yaml", "compose.yaml"] {
        for (name, default) in variables(&text(file)) {
            let row = readme.lines().find(|line| line.starts_with(&format!("| `{name}` |")));
            let row = row.unwrap_or_else(|| panic!("{file}: {name} has no row in README.md"));
            assert!(
                row.contains(&format!("`{default}`")),
                "{file}: {name} is {default} by default, but: {row}"
            );
            assert!(row.contains(file.trim_end_matches(".yaml")), "{file} is not named in: {row}");
        }
    }
}

/// The names and defaults of `${env:NAME:-default}`, and of `${NAME:-default}`, which compose has.
fn variables(text: &str) -> BTreeSet<(&str, &str)> {
    text.split("${")
        .skip(1)
        .filter_map(|rest| rest.split_once('}'))
        .map(|(inside, _)| inside.trim_start_matches("env:"))
        .map(|inside| inside.split_once(":-").unwrap_or_else(|| panic!("{inside} has no default")))
        .collect()
}

#[test]
fn containers_have_the_pinned_versions_and_are_published_on_the_loopback_only() {
    let compose = text("compose.yaml");
    let servers = fs::read_to_string(config("../.ci/servers")).unwrap();
    let version = "0.158.0";
    assert!(compose.contains(&format!("image: otel/opentelemetry-collector-contrib:{version}\n")));
    assert!(servers.contains(&format!("COLLECTOR_VERSION={version}\n")));
    assert!(text("builder.yaml").contains(&format!("  version: {version}\n")));
    let image = "image: jaegertracing/jaeger:2.13.0\n"; // release 2.13 is module 1.76
    assert!(compose.contains(image) && servers.contains("JAEGER_VERSION=1.76.0\n"));
    let ports: Vec<&str> = compose
        .split("ports:")
        .skip(1)
        .flat_map(|section| section.lines().skip(1).take_while(|line| line.trim_start().starts_with("- ")))
        .collect();
    assert!(ports.len() >= 4, "{ports:?}");
    assert!(ports.iter().all(|port| port.trim_start().starts_with("- \"127.0.0.1:")), "{ports:?}");
}

fn text(file: &str) -> String {
    fs::read_to_string(config(file)).expect("a file of collector-config")
}
