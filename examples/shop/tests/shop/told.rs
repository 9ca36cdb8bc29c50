//! What the services told while the demo played: its `--otlp-file`, put into a receiver of the test's own.

use std::{collections::BTreeMap, fs, path::Path, sync::Arc};

use serde_json::Value;
use throughline_receiver::{Receiver, Span, TraceId};
use throughline_testing::SpanTree;

use crate::program::{printed, shop};

/// A demo that has ended, and all that is known of it.
pub(crate) struct Told {
    pub(crate) printed: String,
    receiver: Receiver,
    log_lines: Vec<Value>,
}

impl Told {
    /// Runs the demo to its end, which must be a good one.
    pub(crate) async fn by(arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (otlp, logs) = (folder.path().join("otlp.jsonl"), folder.path().join("logs"));
        let mut all: Vec<String> = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        all.extend(["--otlp-file".to_owned(), text(&otlp), "--log-dir".to_owned(), text(&logs)]);
        let run = move || shop(&all.iter().map(String::as_str).collect::<Vec<_>>());
        let output = tokio::task::spawn_blocking(run).await.unwrap();
        Self { printed: printed(&output), receiver: receive(&otlp).await, log_lines: log_lines(&logs) }
    }

    /// The trees of the orders that were shown, in that order.
    pub(crate) fn shown(&self) -> Vec<SpanTree> {
        let lines = self.printed.lines().filter(|line| line.starts_with("order "));
        let ids =
            lines.filter_map(|line| line.split_whitespace().find_map(|word| word.strip_prefix("trace_id=")));
        ids.map(|id| self.trace(TraceId::from_hex(id).expect(id))).collect()
    }

    /// The only tree that was shown.
    pub(crate) fn the_one_shown(&self) -> SpanTree {
        let mut shown = self.shown();
        assert_eq!(shown.len(), 1, "{}", self.printed);
        shown.remove(0)
    }

    pub(crate) fn trace(&self, id: TraceId) -> SpanTree {
        SpanTree::new(self.receiver.trace(id).spans)
    }

    pub(crate) fn spans(&self) -> Vec<Arc<Span>> {
        self.receiver.spans()
    }

    /// The JSON log lines with this message, of all services.
    pub(crate) fn lines(&self, message: &str) -> Vec<&Value> {
        self.log_lines.iter().filter(|line| line["message"] == message).collect()
    }
}

/// Each request of the file, sent again.
async fn receive(file: &Path) -> Receiver {
    let receiver = Receiver::start().await.unwrap();
    let http = reqwest::Client::new();
    for line in fs::read_to_string(file).unwrap().lines().filter(|line| line.contains("resourceSpans")) {
        let url = format!("{}/v1/traces", receiver.http_endpoint());
        let request = http.post(url).header("content-type", "application/json").body(line.to_owned());
        request.send().await.unwrap().error_for_status().unwrap();
    }
    receiver
}

fn log_lines(folder: &Path) -> Vec<Value> {
    let files = fs::read_dir(folder).unwrap().map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap());
    let lines = files.flat_map(|file| file.lines().map(str::to_owned).collect::<Vec<_>>());
    lines.map(|line| serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
}

fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

/// The spans of a tree with this service and this name, in the order in which they began.
pub(crate) fn named<'a>(tree: &'a SpanTree, service: &str, name: &str) -> Vec<&'a Span> {
    let spans = tree.spans().iter().map(|span| &**span);
    spans.filter(|span| span.service() == service && span.name == name).collect()
}

/// The only one of them.
pub(crate) fn the_one<'a>(tree: &'a SpanTree, service: &str, name: &str) -> &'a Span {
    let found = named(tree, service, name);
    assert_eq!(found.len(), 1, "{service} {name}: {found:#?}");
    found[0]
}

/// An attribute as text; empty if the span has none.
pub(crate) fn attribute(span: &Span, key: &str) -> String {
    span.attribute(key).map(ToString::to_string).unwrap_or_default()
}

/// The same attribute of several spans.
pub(crate) fn attributes(spans: &[&Span], key: &str) -> Vec<String> {
    spans.iter().map(|span| attribute(span, key)).collect()
}

/// Names of the log lines on a span, in their order.
pub(crate) fn said(span: &Span) -> Vec<&str> {
    span.events.iter().map(|event| event.name.as_str()).collect()
}

/// How often each value occurs.
pub(crate) fn counted(values: impl IntoIterator<Item = String>) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for value in values {
        *counts.entry(value).or_default() += 1;
    }
    counts
}
