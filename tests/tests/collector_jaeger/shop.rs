//! The demo through a real Collector into a real Jaeger.

use std::{
    collections::BTreeSet,
    fs,
    net::{Ipv4Addr, TcpStream},
    path::Path,
    process::Command,
    time::Duration,
};

use serde_json::Value;
use tests::{MOSQUITTO, Server, free_ports, program, shop};

use crate::{
    jaeger::{self, Edge, Span},
    log_file::{self, Record},
    stack::{START_TIMEOUT, Stack, retried},
};

/// How many orders are sent.
pub(crate) const ORDERS: usize = 3;
/// How long the demo may take with them.
const SHOP_TIMEOUT: Duration = Duration::from_secs(120);

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

/// Every hop between services that an order takes, and no other. The message hops are parent and child too: one message
/// at a time is processed as a child of its producer, and then has no link.
const EDGES: [Edge<'_>; 7] = [
    ("gateway", "client", "orders", "server"),
    ("gateway", "client", "recommendations", "server"),
    ("orders", "client", "users", "server"),
    ("orders", "producer", "fulfilment", "consumer"), // order.created
    ("orders", "producer", "recent-orders", "consumer"),
    ("orders", "producer", "analytics", "consumer"),
    ("fulfilment", "producer", "notifications", "consumer"), // order.confirmed
];

/// Parts of an order that must be there, as service, kind and what the span's name contains.
const SPANS: [(&str, &str, &str); 10] = [
    ("gateway", "server", "POST /orders"),
    ("orders", "server", "POST /orders"),
    ("users", "server", "GET /users/{id}"),
    ("recommendations", "server", "GET /recommendations"),
    ("orders", "producer", "publish order.created"),
    ("fulfilment", "consumer", "process order.created"),
    ("recent-orders", "consumer", "process order.created"),
    ("analytics", "consumer", "process order.created"),
    ("fulfilment", "producer", "publish order.confirmed"),
    ("notifications", "consumer", "process order.confirmed"),
];

#[test]
fn orders_arrive_over_grpc() {
    let Some(stack) = Stack::start("orders_arrive_over_grpc") else {
        return;
    };
    let orders = sell(&stack, &["--protocol", "grpc"], stack.collector.grpc_port);
    check(&stack, &orders);
}

#[test]
fn orders_arrive_over_http() {
    let Some(stack) = Stack::start("orders_arrive_over_http") else {
        return;
    };
    let orders = sell(&stack, &["--protocol", "http/protobuf"], stack.collector.http_port);
    check(&stack, &orders);
}

/// Every scenario, the failures too: whatever goes wrong in the shop, each order is one trace with the hops that it took.
#[test]
fn the_tour_arrives() {
    let Some(stack) = Stack::start("the_tour_arrives") else {
        return;
    };
    let orders = run_shop(&stack, &["--scenario", "tour"], stack.collector.grpc_port);
    let jaeger = stack.jaeger.query_port;
    let mut hops = BTreeSet::new();
    for order in &orders {
        let spans = jaeger::trace(jaeger, &order.trace_id, has_root);
        hops.extend(jaeger::edges(&spans).into_iter().map(|edge| format!("{edge:?}")));
        for span in &spans {
            assert_eq!(span.correlation_id.as_ref(), Some(&order.correlation_id), "{span:#?}");
        }
    }
    assert_eq!(hops, EDGES.iter().map(|edge| format!("{edge:?}")).collect());
    assert_eq!(jaeger::services(jaeger), SERVICES.map(str::to_owned).into());
}

fn has_root(spans: &BTreeSet<Span>) -> bool {
    spans.iter().any(|span| span.parent.is_none() && is(span, SPANS[0]))
}

/// The same with a broker that isn't ours.
#[test]
fn orders_arrive_through_mosquitto() {
    let test = "orders_arrive_through_mosquitto";
    let (Some(mosquitto), Some(stack)) = (program(MOSQUITTO, test), Stack::start(test)) else {
        return;
    };
    let (_broker, port) = start_mosquitto(&mosquitto, stack.folder());
    let broker = format!("mqtt://127.0.0.1:{port}");
    let orders = sell(&stack, &["--broker", &broker], stack.collector.grpc_port);
    check(&stack, &orders);
}

fn start_mosquitto(program: &Path, folder: &Path) -> (Server, u16) {
    retried(|| {
        let [port] = free_ports();
        let config = folder.join("mosquitto.conf");
        let settings = format!("listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\n");
        fs::write(&config, settings).expect("a configuration of the broker");
        let mut server = Server::start("mosquitto", Command::new(program).arg("-c").arg(&config), folder);
        server.wait_until("listening", START_TIMEOUT, |_| {
            TcpStream::connect((Ipv4Addr::LOCALHOST, port)).map_err(|error| error.to_string())
        })?;
        Ok((server, port))
    })
}

fn check(stack: &Stack, orders: &[Order]) {
    let jaeger = stack.jaeger.query_port;
    let ids: BTreeSet<String> = orders.iter().map(|order| order.trace_id.clone()).collect();
    assert_eq!(ids.len(), ORDERS, "one trace an order: {orders:?}");
    let traces: Vec<BTreeSet<Span>> = orders
        .iter()
        .map(|order| {
            let spans = jaeger::trace(jaeger, &order.trace_id, is_whole);
            check_trace(order, &spans);
            spans
        })
        .collect();
    assert_eq!(jaeger::services(jaeger), SERVICES.map(str::to_owned).into());
    for service in SERVICES {
        // A service that makes its tables at its start has a trace for that, too, which is its own alone.
        let all = jaeger::traces_of(jaeger, service);
        assert!(
            ids.is_subset(&all),
            "the traces of {service} are those of the orders, {ids:?}, and more: {all:?}"
        );
        for other in all.difference(&ids) {
            let spans = jaeger::trace(jaeger, other, |spans| !spans.is_empty());
            assert!(spans.iter().all(|span| span.service == service), "{spans:#?}");
        }
    }
    check_logs(stack, orders, &traces);
}

/// What the demo says about an order.
#[derive(Clone, Debug)]
pub(crate) struct Order {
    pub(crate) trace_id: String,
    correlation_id: String,
}

/// Sends some orders one after the other.
pub(crate) fn sell(stack: &Stack, arguments: &[&str], port: u16) -> Vec<Order> {
    let number = ORDERS.to_string();
    let orders = run_shop(stack, &[&["--orders", &number], arguments].concat(), port);
    assert_eq!(orders.len(), ORDERS);
    orders
}

/// Runs the demo until it ends by itself, when everything has been sent.
fn run_shop(stack: &Stack, arguments: &[&str], port: u16) -> Vec<Order> {
    let mut command = Command::new(shop());
    command
        .args(arguments)
        .args(["--otlp", &format!("http://127.0.0.1:{port}")])
        .arg("--log-dir")
        .arg(stack.logs());
    let mut shop = Server::start("shop", &mut command, stack.folder());
    let status = shop.wait_for_end(SHOP_TIMEOUT);
    let printed = shop.log();
    assert!(status.success(), "shop ended with {status}:\n{printed}");
    let orders: Vec<Order> = printed.lines().filter_map(read_order).collect();
    assert!(!orders.is_empty(), "{printed}");
    orders
}

/// `order 1  trace_id=<32 hex>  correlation_id=<…>`
fn read_order(line: &str) -> Option<Order> {
    let value = |name| line.split_whitespace().find_map(|word| word.strip_prefix(name)).map(str::to_owned);
    line.starts_with("order ").then_some(())?;
    Some(Order { trace_id: value("trace_id=")?, correlation_id: value("correlation_id=")? })
}

fn is_whole(spans: &BTreeSet<Span>) -> bool {
    SPANS.iter().all(|&wanted| spans.iter().any(|span| is(span, wanted)))
}

fn is(span: &Span, (service, kind, name): (&str, &str, &str)) -> bool {
    span.service == service && span.kind == kind && span.name.contains(name)
}

/// One tree, with the edges of the table and no others, and the correlation id on every span.
fn check_trace(order: &Order, spans: &BTreeSet<Span>) {
    assert_eq!(jaeger::edges(spans), BTreeSet::from(EDGES), "{spans:#?}");
    let ids: BTreeSet<&str> = spans.iter().map(|span| span.id.as_str()).collect();
    let roots: Vec<&Span> = spans.iter().filter(|span| span.parent.is_none()).collect();
    let [root] = roots.as_slice() else { panic!("one root: {roots:#?}") };
    assert!(is(root, ("gateway", "server", "POST /orders")), "{root:#?}");
    for span in spans {
        assert!(span.parent.as_deref().is_none_or(|parent| ids.contains(parent)), "no parent: {span:#?}");
        assert_eq!(span.correlation_id.as_ref(), Some(&order.correlation_id), "{span:#?}");
        assert!(span.links.is_empty(), "a single message has a parent and no link: {span:#?}");
    }
    for wanted in SPANS {
        assert_eq!(spans.iter().filter(|span| is(span, wanted)).count(), 1, "{wanted:?}: {spans:#?}");
    }
}

// --- Log files -------------------------------------------------------------------------------------------------------

/// What a log line and the Collector's record of it have in common.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Line {
    service: Option<String>,
    message: Option<String>,
    level: Option<String>,
    /// The nine digits behind the second.
    nanos: String,
    trace_id: Option<String>,
    span_id: Option<String>,
    flags: u64,
    correlation_id: Option<String>,
}

fn check_logs(stack: &Stack, orders: &[Order], traces: &[BTreeSet<Span>]) {
    let mut written = read_log_files(&stack.logs());
    let records = log_file::records(&stack.collector.log_output(), written.len());
    let mut collected: Vec<Line> = records.iter().map(line_of_record).collect();
    written.sort();
    collected.sort();
    assert_eq!(collected, written, "what the Collector has, and what the services wrote");

    for (order, spans) in orders.iter().zip(traces) {
        let of_order = || written.iter().filter(|line| line.trace_id.as_ref() == Some(&order.trace_id));
        for service in SERVICES {
            let lines = of_order().filter(|line| line.service.as_deref() == Some(service)).count();
            assert!(lines > 0, "{service} wrote no line about {order:?}");
        }
        for line in of_order() {
            assert_eq!(line.correlation_id.as_ref(), Some(&order.correlation_id), "{line:?}");
            let span = spans.iter().find(|span| Some(&span.id) == line.span_id.as_ref());
            assert_eq!(
                span.map(|span| &span.service),
                line.service.as_ref(),
                "{line:?} is in a span of its service"
            );
        }
    }
}

fn read_log_files(folder: &Path) -> Vec<Line> {
    let files = fs::read_dir(folder).expect("the folder of log files");
    let paths = files.map(|entry| entry.expect("a log file").path());
    let lines: Vec<Line> = paths
        .flat_map(|path| {
            let text = fs::read_to_string(path).expect("a log file");
            text.lines().map(line_of_file).collect::<Vec<_>>()
        })
        .collect();
    assert!(!lines.is_empty(), "the services wrote no log lines");
    lines
}

fn line_of_file(line: &str) -> Line {
    let line: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    let text = |key: &str| line.get(key).and_then(Value::as_str).map(str::to_owned);
    let timestamp = text("timestamp").unwrap_or_default();
    let nanos = timestamp.split_once('.').map(|(_, nanos)| nanos.trim_end_matches('Z')).unwrap_or_default();
    Line {
        service: text("service"),
        message: text("message"),
        level: text("level"),
        nanos: nanos.to_owned(),
        trace_id: text("trace_id"),
        span_id: text("span_id"),
        flags: text("trace_flags").and_then(|flags| u64::from_str_radix(&flags, 16).ok()).unwrap_or(0),
        correlation_id: text("correlation_id"),
    }
}

fn line_of_record(record: &Record) -> Line {
    let time = record.text("/timeUnixNano").unwrap_or_default();
    let nanos = time.len().checked_sub(9).and_then(|start| time.get(start..)).unwrap_or_default();
    Line {
        service: record.service.clone(),
        message: record.text("/body/stringValue"),
        level: record.text("/severityText"),
        nanos: nanos.to_owned(),
        trace_id: record.text("/traceId"),
        span_id: record.text("/spanId"),
        flags: record.record.pointer("/flags").and_then(Value::as_u64).unwrap_or(0),
        correlation_id: record.attribute("correlation_id"),
    }
}
