//! Each example as a process: it ends well, and does what its first lines say.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::{collections::BTreeSet, process::Command, time::Duration};

use serde_json::Value;
use throughline_receiver::Receiver;
use throughline_testing::{SpanTree, TreeText, no_orphans, no_secrets, one_trace};

const DEADLINE: Duration = Duration::from_secs(20);

/// What an example exported and printed.
struct Run {
    receiver: Receiver,
    printed: String,
}

impl Run {
    fn of(example: &str) -> Self {
        let receiver = Receiver::start_blocking().unwrap();
        // Cargo builds examples beside the tests that belong to them.
        let test = std::env::current_exe().unwrap();
        let program = test.parent().unwrap().parent().unwrap().join("examples").join(example);
        let endpoint = receiver.http_endpoint();
        let output = Command::new(program)
            .env("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint)
            .env("THROUGHLINE_ORPHANS", "true")
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let printed = String::from_utf8(output.stdout).unwrap();
        assert!(!printed.contains("because nothing is current"), "{printed}");
        Self { receiver, printed }
    }

    fn wait_for_spans(&self, count: u64) {
        self.receiver.wait_for_spans_blocking(count, DEADLINE).unwrap_or_else(|_| {
            panic!("{}\n{}", TreeText::new().write(&SpanTree::new(self.receiver.spans())), self.printed)
        });
    }

    fn tree(&self, text: &TreeText) -> String {
        text.write(&SpanTree::new(self.receiver.spans()))
    }

    /// The log lines with this message.
    fn lines(&self, message: &str) -> Vec<Value> {
        let lines = self.printed.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        lines.filter(|line| line["message"] == message).collect()
    }
}

/// The values of `key` on these lines.
fn values(lines: &[Value], key: &str) -> Vec<String> {
    lines.iter().map(|line| line[key].as_str().unwrap_or("-").to_owned()).collect()
}

#[test]
fn public_edge() {
    let run = Run::of("public_edge");
    run.wait_for_spans(2);
    assert_eq!(
        run.tree(&TreeText::new()),
        "orders: GET /orders/{id} (server) #1 links elsewhere\n\
         orders: GET /partners/orders/{id} (server) #2 links elsewhere"
    );
    let lines = run.lines("order read");
    assert!(!values(&lines, "trace_id").contains(&"0af7651916cd43dd8448eb211c80319c".to_owned()));
    assert_eq!(values(&lines, "correlation_id"), ["customer-17", "customer-17"]);
    assert_eq!(values(&lines, "baggage.tenant"), ["-", "acme"]);
    assert_eq!(values(&lines, "baggage.role"), ["-", "-"]);
}

#[test]
fn baggage() {
    let run = Run::of("baggage");
    run.wait_for_spans(3);
    assert_eq!(
        run.tree(&TreeText::new()),
        "shop: GET /umbrella (server) #1\n\
         \x20 shop: GET (client) #2\n\
         \x20   shop: GET /price (server) #3"
    );
    let told = ["asked for an umbrella", "price asked for", "price found"].map(|message| run.lines(message));
    assert_eq!(told.map(|lines| values(&lines, "baggage.tenant")), [["-"], ["acme"], ["acme"]]);
    assert!(run.printed.contains("9 for acme\n"));
}

#[test]
fn events() {
    let run = Run::of("events");
    run.wait_for_spans(1);
    let text = TreeText::new().attributes(["throughline.http.messages", "throughline.http.end"]);
    assert_eq!(
        run.tree(&text),
        "orders: GET /orders/{id}/progress (server) #1 throughline.http.messages=3 throughline.http.end=complete"
    );
    let lines = run.lines("progress");
    assert_eq!(values(&lines, "step"), ["accepted", "packed", "sent"]);
    let trace = one_trace(&run.receiver).to_string();
    assert!(values(&lines, "trace_id").iter().all(|id| *id == trace));
    assert_eq!(run.printed.matches("event: progress\n").count(), 3);
}

#[test]
fn worker() {
    let run = Run::of("worker");
    run.wait_for_spans(6);
    let one = |first: u32| {
        format!(
            "orders: POST /orders (server) #{first}\n\
             \x20 orders: send mails (producer) #{}\n\
             \x20   orders: process mails (consumer) #{}",
            first + 1,
            first + 2
        )
    };
    assert_eq!(run.tree(&TreeText::new()), format!("{}\n{}", one(1), one(4)));
    let lines = run.lines("mail sent");
    assert_eq!(values(&lines, "correlation_id"), ["order-of-ada", "order-of-grace"]);
    assert_eq!(values(&lines, "to"), ["ada", "grace"]);
}

#[test]
fn outbox() {
    let run = Run::of("outbox");
    run.wait_for_spans(8);
    let text = TreeText::new().attributes(["throughline.outbox.attempt", "throughline.inbox.result"]);
    assert_eq!(
        run.tree(&text),
        "\
orders: POST /orders (internal) #1
  orders: create order.created (producer) #2
    orders: relay order.created (consumer) #3 error throughline.outbox.attempt=1
    orders: relay order.created (consumer) #4 throughline.outbox.attempt=2
      orders: send order.created (producer) #5
        orders: process order.created (consumer) #6 throughline.inbox.result=first
      orders: send order.created (producer) #7
        orders: process order.created (consumer) #8 throughline.inbox.result=duplicate"
    );
    one_trace(&run.receiver);
    let lines =
        [run.lines("order accepted"), run.lines("an event was not relayed"), run.lines("shipped")].concat();
    assert_eq!(lines.len(), 3, "{}", run.printed);
    let ids: BTreeSet<_> = values(&lines, "correlation_id").into_iter().collect();
    assert!(ids.len() == 1 && !ids.contains("-"), "{ids:?}");
    assert!(run.printed.contains("relayed: 1, failed: 1, dead: 0"), "{}", run.printed);
}

#[test]
fn database() {
    let run = Run::of("database");
    run.wait_for_spans(10);
    let text = TreeText::new().attributes(["db.response.status_code", "throughline.db.end"]);
    assert_eq!(
        run.tree(&text),
        "\
orders: POST /orders (internal) #1
  orders: BEGIN (internal) #2 throughline.db.end=complete
  orders: INSERT orders (internal) #3 throughline.db.end=complete
  orders: COMMIT (internal) #4 throughline.db.end=complete
orders: POST /orders (internal) #5
  orders: BEGIN (internal) #6 throughline.db.end=complete
  orders: INSERT orders (internal) #7 error db.response.status_code=1555 throughline.db.end=error
  orders: ROLLBACK (internal) #8 throughline.db.end=queued
orders: GET /orders (internal) #9
  orders: SELECT orders (internal) #10 throughline.db.end=complete"
    );
    no_orphans(&run.receiver);
    no_secrets(&run.receiver, ["ada", "tea"]);
}

#[test]
fn child_process() {
    let run = Run::of("child_process");
    run.wait_for_spans(2);
    assert_eq!(run.tree(&TreeText::new()), "backup: backup (internal) #1\n  dump: dump (internal) #2");
    no_orphans(&run.receiver);
    let lines = [run.lines("starting the dump"), run.lines("dumped")].concat();
    for key in ["trace_id", "correlation_id"] {
        let ids: BTreeSet<_> = values(&lines, key).into_iter().collect();
        assert!(ids.len() == 1 && !ids.contains("-"), "{key}: {ids:?}");
    }
}

#[test]
fn own_json() {
    let run = Run::of("own_json");
    let lines = run.lines("order stored");
    let keys = |line: &Value| line.as_object().unwrap().keys().cloned().collect::<BTreeSet<_>>();
    assert_eq!(lines.len(), 3, "{}", run.printed);
    assert!(keys(&lines[0]).is_superset(&["timestamp", "level", "order.id"].map(str::to_owned).into()));
    assert_eq!(lines[1]["severity"], "INFO");
    assert!(
        keys(&lines[2])
            .is_superset(&["@timestamp", "severity", "orderId", "itemCount"].map(str::to_owned).into())
    );
}
