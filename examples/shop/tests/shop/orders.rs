//! One order: its trace, its log lines, and the files that are written about it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use serde_json::Value;
use throughline_receiver::{Receiver, SpanKind, Trace};
use throughline_testing::{Edge, Relation, SpanTree, TreeText, edges};

use crate::program::{printed, shop};

const SERVICES: [&str; 8] = [
    "analytics",
    "fulfilment",
    "gateway",
    "notifications",
    "orders",
    "recent-orders",
    "recommendations",
    "users",
];

/// What one order looks like; the ids are numbers in the order of appearance.
const ONE_ORDER: &str = "\
gateway: POST /orders (server) #1
  gateway: place order (internal) #2
    gateway: POST (client) #3
      orders: POST /orders (server) #4
        orders: BEGIN (client) #5
        orders: COMMIT (client) #6
        orders: GET (client) #7
          users: GET /users/{id} (server) #8
            users: SELECT users (client) #9
        orders: INSERT orders (client) #10
        orders: UPDATE stock (client) #11
        orders: create order.created (producer) #12
          orders: relay order.created (consumer) #13
            orders: publish order.created (producer) #14
              analytics: process order.created (consumer) #15
                analytics: BEGIN (client) #16
                analytics: COMMIT (client) #17
                analytics: INSERT sales (client) #18
              fulfilment: process order.created (consumer) #19
                fulfilment: BEGIN (client) #20
                fulfilment: COMMIT (client) #21
                fulfilment: INSERT parcels (client) #22
                fulfilment: create order.confirmed (producer) #23
                  fulfilment: relay order.confirmed (consumer) #24
                    fulfilment: publish order.confirmed (producer) #25
                      notifications: process order.confirmed (consumer) #26
                        notifications: BEGIN (client) #27
                        notifications: COMMIT (client) #28
                        notifications: INSERT notifications (client) #29
              recent-orders: process order.created (consumer) #30
                recent-orders: BEGIN (client) #31
                recent-orders: COMMIT (client) #32
                recent-orders: INSERT recent_orders (client) #33
  gateway: recommendations (internal) #34
    gateway: GET (client) #35
      recommendations: GET /recommendations (server) #36";

/// Trace id and correlation id of each order, as printed.
fn orders(printed: &str) -> Vec<(String, String)> {
    let word = |line: &str, key: &str| {
        let value = line.split_whitespace().find_map(|word| word.strip_prefix(key));
        value.unwrap_or_else(|| panic!("no {key} in {line:?}")).to_owned()
    };
    let lines = printed.lines().filter(|line| line.starts_with("order "));
    lines.map(|line| (word(line, "trace_id="), word(line, "correlation_id="))).collect()
}

#[test]
fn without_flags_it_shows_that_it_works_and_that_it_works_where_something_fails() {
    let printed = printed(&shop(&[]));
    let scenarios: Vec<_> = printed.lines().filter(|line| line.starts_with("# ")).collect();
    assert!(scenarios.len() == 2 && scenarios[0].starts_with("# happy: "), "{scenarios:?}");
    assert!(printed.contains("503 !") && printed.matches("status=201").count() == 2, "{printed}");
}

#[test]
fn the_tree_of_each_order_is_printed_with_its_log_lines() {
    let printed = printed(&shop(&["--orders", "2"]));
    assert_eq!(orders(&printed).len(), 2, "{printed}");
    for expected in [
        "gateway  POST /orders",
        "├─ gateway  place order",
        "orders  POST /orders",
        "users  GET /users/{id}",
        "orders  publish order.created",
        "fulfilment  process order.created",
        "notifications  process order.confirmed",
        "INFO order stored",
        "INFO customer notified",
    ] {
        assert_eq!(printed.matches(expected).count(), 2, "{expected:?} in\n{printed}");
    }
}

#[tokio::test]
async fn each_order_is_one_trace_across_all_services_over_either_protocol() {
    let receiver = Receiver::start().await.unwrap();
    for (protocol, endpoint) in
        [("grpc", receiver.grpc_endpoint()), ("http/protobuf", receiver.http_endpoint())]
    {
        let arguments = ["--orders", "2", "--otlp", &endpoint, "--protocol", protocol].map(str::to_owned);
        let run = tokio::task::spawn_blocking(move || shop(&arguments.each_ref().map(String::as_str)));
        let printed = printed(&run.await.unwrap());
        let orders = orders(&printed);
        assert_eq!(orders.len(), 2, "{printed}");
        for (trace_id, correlation_id) in orders {
            let trace = receiver.trace(throughline_receiver::TraceId::from_hex(&trace_id).unwrap());
            check_one_order(&trace, &correlation_id);
        }
        assert!(!printed.contains("└─"), "ids in place of trees:\n{printed}");
    }
}

fn check_one_order(trace: &Trace, correlation_id: &str) {
    let tree = SpanTree::new(trace.spans.clone());
    assert_eq!(TreeText::new().sorted().write(&tree), ONE_ORDER);
    let child = |caller, callee| Edge::new(caller, callee, Relation::Child);
    assert_eq!(
        edges(&trace.spans),
        BTreeSet::from([
            child("gateway", "orders"),
            child("orders", "users"),
            child("orders", "fulfilment"),
            child("orders", "recent-orders"),
            child("orders", "analytics"),
            child("gateway", "recommendations"),
            child("fulfilment", "notifications"),
        ])
    );
    for span in &trace.spans {
        assert!(
            span.attribute("correlation.id").is_some_and(|id| *id == *correlation_id),
            "{} {}: {:?}",
            span.service(),
            span.name,
            span.attributes
        );
    }
    let consumers = trace.spans.iter().filter(|span| span.kind == SpanKind::Consumer);
    for span in consumers {
        assert!(span.links.is_empty(), "a child of its producer needs no link");
        assert_eq!(span.parent_is_remote(), Some(true), "{} {}", span.service(), span.name);
    }
}

#[test]
fn log_lines_carry_the_ids_of_their_order() {
    let folder = tempfile::tempdir().unwrap();
    let logs = folder.path().join("logs");
    let printed = printed(&shop(&["--orders", "1", "--log-dir", logs.to_str().unwrap()]));
    let [(trace_id, correlation_id)] = orders(&printed).try_into().unwrap();

    let mut services = BTreeSet::new();
    for line in lines(&logs) {
        if line["correlation_id"] == correlation_id {
            assert_eq!(line["trace_id"], trace_id, "{line}");
            assert_eq!(line["span_id"].as_str().map(str::len), Some(16), "{line}");
            services.insert(line["service"].as_str().unwrap().to_owned());
        }
    }
    assert_eq!(services.iter().map(String::as_str).collect::<Vec<_>>(), SERVICES);
    let files: BTreeSet<_> =
        fs::read_dir(&logs).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(files, SERVICES.iter().map(|name| format!("{name}.jsonl")).collect());
}

fn lines(folder: &Path) -> Vec<Value> {
    let files = fs::read_dir(folder).unwrap().map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap());
    let lines = files.flat_map(|file| file.lines().map(str::to_owned).collect::<Vec<_>>());
    lines.map(|line| serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
}

#[test]
fn the_otlp_file_holds_every_request_of_every_service() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("otlp.jsonl");
    printed(&shop(&["--orders", "1", "--otlp-file", path.to_str().unwrap()]));

    let mut signals: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for line in fs::read_to_string(&path).unwrap().lines() {
        let request: Value = serde_json::from_str(line).unwrap();
        for signal in ["resourceSpans", "resourceMetrics"] {
            for resource in request[signal].as_array().into_iter().flatten() {
                let attributes = resource["resource"]["attributes"].as_array().unwrap();
                let name = attributes.iter().find(|attribute| attribute["key"] == "service.name").unwrap();
                signals
                    .entry(signal)
                    .or_default()
                    .insert(name["value"]["stringValue"].as_str().unwrap().to_owned());
            }
        }
    }
    let names = |signal: &str| signals[signal].iter().map(String::as_str).collect::<Vec<_>>();
    assert_eq!(names("resourceSpans"), SERVICES);
    assert!(names("resourceMetrics").contains(&"gateway"), "{signals:?}");
}

#[test]
fn a_service_that_fails_is_seen_in_the_trace_and_the_demo_still_ends_well() {
    let users = printed(&shop(&["--orders", "1", "--fail", "users=1"]));
    assert!(users.contains("503 !") && users.contains("WARN failing on purpose"), "{users}");
    assert!(!users.contains("order.created"), "nothing is published that was not stored:\n{users}");

    let fulfilment = printed(&shop(&["--orders", "1", "--fail", "fulfilment=1"]));
    assert!(fulfilment.contains("process order.created"), "{fulfilment}");
    assert!(fulfilment.contains("error !"), "{fulfilment}");
    assert!(!fulfilment.contains("order.confirmed"), "{fulfilment}");
}
