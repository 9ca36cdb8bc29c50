//! A trace as a table for people: the tree, what each span decided, how it ended, how long it took, what it logged.

use std::time::Duration;

use throughline_receiver::{AttributeValue, Span, SpanKind, Status};
use throughline_testing::{Node, SpanTree};

/// What is worth a column of its own: where a request went, and why.
const DECISIONS: [&str; 3] = ["shop.orders.instance", "shop.instance", "shop.shard"];

struct Row {
    /// Branches, service and name.
    left: String,
    what: String,
    status: String,
    time: String,
}

/// The whole trace, one line a span and one a log line.
pub(super) fn render(tree: &SpanTree) -> String {
    let mut rows = vec![Row::new("service / span", "what", "status", "time")];
    for root in tree.roots() {
        add(root, "", "", &mut rows);
    }
    let left = rows.iter().map(|row| row.left.chars().count()).max().unwrap_or_default();
    // Log lines may run on to the right: nothing stands behind their fields.
    let spans = rows.iter().filter(|row| !row.time.is_empty());
    let what = spans.map(|row| row.what.chars().count()).max().unwrap_or_default();
    let lines = rows.iter().map(|row| {
        let line = format!(
            "{}  {}  {:<7} {:>9}",
            padded(&row.left, left),
            padded(&row.what, what),
            row.status,
            row.time
        );
        line.trim_end().to_owned()
    });
    lines.collect::<Vec<_>>().join("\n")
}

impl Row {
    fn new(left: &str, what: &str, status: &str, time: &str) -> Self {
        let own = str::to_owned;
        Self { left: own(left), what: own(what), status: own(status), time: own(time) }
    }
}

/// Adds a node and what is below it; `branch` leads to the node, `trunk` past it.
fn add(node: Node<'_>, branch: &str, trunk: &str, rows: &mut Vec<Row>) {
    let span = node.span();
    let children: Vec<_> = node.children().collect();
    rows.push(Row {
        left: format!("{branch}{}  {}", span.service(), span.name),
        what: what(span),
        status: status(span),
        time: time(span.duration()),
    });
    let below = if children.is_empty() { "   " } else { "│  " };
    for event in &span.events {
        let level = event.attributes.get("level").and_then(AttributeValue::as_str).unwrap_or("INFO");
        rows.push(Row::new(&format!("{trunk}{below}· {level} {}", event.name), &fields(event), "", ""));
    }
    let last = children.len().saturating_sub(1);
    for (place, child) in children.into_iter().enumerate() {
        let (fork, past) = if place == last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
        add(child, &format!("{trunk}{fork}"), &format!("{trunk}{past}"), rows);
    }
}

/// Where a span went, or what decided it.
fn what(span: &Span) -> String {
    let mut parts = Vec::new();
    if span.kind == SpanKind::Client
        && let (Some(address), Some(port)) = (span.attribute("server.address"), span.attribute("server.port"))
    {
        parts.push(format!("→ {address}:{port}"));
    }
    if let Some(system) = span.attribute("messaging.system") {
        parts.push(system.to_string());
    }
    for key in DECISIONS {
        if let Some(value) = span.attribute(key) {
            parts.push(format!("{}={value}", key.trim_start_matches("shop.")));
        }
    }
    parts.join(" ")
}

fn status(span: &Span) -> String {
    let code = span.attribute("http.response.status_code").map(ToString::to_string);
    match (&span.status, code) {
        (Status::Error { .. }, Some(code)) => format!("{code} !"),
        (Status::Error { .. }, None) => "error !".to_owned(),
        (_, Some(code)) => code,
        (_, None) => String::new(),
    }
}

/// The fields of a log line, as the line has them.
fn fields(event: &throughline_receiver::SpanEvent) -> String {
    let own = event.attributes.iter().filter(|(key, _)| !matches!(*key, "level" | "target"));
    own.map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(" ")
}

fn time(duration: Duration) -> String {
    format!("{:.1}ms", duration.as_secs_f64() * 1_000.0)
}

/// Pads by characters: the branches are wider in bytes than on the screen.
fn padded(text: &str, width: usize) -> String {
    let missing = width.saturating_sub(text.chars().count());
    format!("{text}{}", " ".repeat(missing))
}
