//! What is refused before anything starts, and what starts nothing.

use std::{net::TcpListener, time::Duration};

use crate::program::{printed, shop, text};

#[test]
fn bad_flags_are_refused_with_what_is_wanted() {
    for (arguments, expected) in [
        (["--bogus", "1"], "unexpected argument '--bogus'"),
        (["--fail", "users"], "SERVICE=RATE is wanted"),
        (["--otlp", "ftp://x"], "http://HOST:PORT"),
    ] {
        let output = shop(&arguments);
        assert_eq!(output.status.code(), Some(2));
        assert!(text(&output.stderr).contains(expected), "{}", text(&output.stderr));
    }
}

#[test]
fn a_broker_that_is_not_there_is_told_before_anything_starts() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let started = std::time::Instant::now();
    let output = shop(&["--broker", &format!("mqtt://{free}")]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        text(&output.stderr).contains(&format!("no MQTT 5 broker at mqtt://{free}")),
        "{}",
        text(&output.stderr)
    );
    assert!(started.elapsed() < Duration::from_secs(20));
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let folder = file.path().join("logs");
    let output = shop(&["--log-dir", folder.to_str().unwrap()]);
    assert!(!output.status.success());
    assert!(text(&output.stderr).contains("cannot make --log-dir"), "{}", text(&output.stderr));
}

#[test]
fn the_list_names_each_scenario_with_what_it_is_about() {
    let list = printed(&shop(&["--list"]));
    for name in [
        "happy",
        "retry",
        "breaker",
        "degraded",
        "instance-down",
        "event-retry",
        "replay",
        "rebalance",
        "tour",
    ] {
        let line = list.lines().find(|line| line.split_whitespace().next() == Some(name)).expect(name);
        assert!(line.len() > name.len() + 20 && line.ends_with('.'), "{line}");
    }
}

#[test]
fn the_services_are_listed_with_their_instances() {
    let list = printed(&shop(&["--services"]));
    for (name, instances) in [("gateway", "1"), ("orders", "3"), ("users", "3"), ("analytics", "1")] {
        let found = list.lines().map(|line| line.split_whitespace().take(2).collect::<Vec<_>>());
        assert!(found.into_iter().any(|words| words == [name, instances]), "{name} {instances} in\n{list}");
    }
}
