//! A trace tree as text, so that a test can show the tree it expects.

use std::{collections::HashMap, fmt::Write};

use throughline_receiver::{Span, SpanId, SpanKind, Status};

use crate::{Node, SpanTree};

/// How a [`SpanTree`] is written: two spaces a level, and on each line the service, the name, the kind and the number
/// of the span.
///
/// Ids are replaced by numbers in the order of appearance, the same number wherever the same span is meant: a wrong
/// parent changes the tree, and a wrong link changes a number.
///
/// ```text
/// orders: POST /orders (server) #1
///   orders: publish order.created (producer) #2
///     fulfilment: process order.created (consumer) #3
///       - order packed
/// audit: process order.created (consumer) #4 links #2
/// ```
///
/// A failed span ends in `error`; a root whose parent lives elsewhere says `remote parent`, and one whose parent should
/// be there says `MISSING PARENT`.
#[derive(Clone, Debug, Default)]
#[must_use = "nothing is written until `write` is called"]
pub struct TreeText {
    attributes: Vec<String>,
    events: bool,
}

impl TreeText {
    /// Names, kinds and relations only.
    pub fn new() -> Self {
        Self::default()
    }

    /// Also shows these attributes, in this order, on the spans that have them.
    pub fn attributes<'a>(mut self, keys: impl IntoIterator<Item = &'a str>) -> Self {
        self.attributes.extend(keys.into_iter().map(str::to_owned));
        self
    }

    /// Also shows each span's events, by name.
    pub fn events(mut self) -> Self {
        self.events = true;
        self
    }

    /// The text, without a line break at its end.
    #[must_use]
    pub fn write(&self, tree: &SpanTree) -> String {
        let mut numbers = HashMap::new();
        for root in tree.roots() {
            number(root, &mut numbers);
        }
        let mut lines = Vec::new();
        for root in tree.roots() {
            self.lines(root, 0, &numbers, &mut lines);
        }
        lines.join("\n")
    }

    fn lines(&self, node: Node<'_>, depth: usize, numbers: &HashMap<SpanId, usize>, lines: &mut Vec<String>) {
        let indent = "  ".repeat(depth);
        lines.push(format!("{indent}{}", self.line(node.span(), depth == 0, numbers)));
        if self.events {
            lines.extend(node.span().events.iter().map(|event| format!("{indent}  - {}", event.name)));
        }
        for child in node.children() {
            self.lines(child, depth + 1, numbers, lines);
        }
    }

    fn line(&self, span: &Span, is_root: bool, numbers: &HashMap<SpanId, usize>) -> String {
        let name_of =
            |id: &SpanId| numbers.get(id).map_or_else(|| "elsewhere".to_owned(), |n| format!("#{n}"));
        let mut line = String::new();
        if !span.service().is_empty() {
            line = format!("{}: ", span.service());
        }
        line += &format!("{} ({}) {}", span.name, kind(span.kind), name_of(&span.span_id));
        if !span.links.is_empty() {
            let links: Vec<_> = span.links.iter().map(|link| name_of(&link.span_id)).collect();
            line += &format!(" links {}", links.join(" "));
        }
        if is_root && span.parent_span_id.is_some() {
            line += if span.parent_is_remote() == Some(true) { " remote parent" } else { " MISSING PARENT" };
        }
        if matches!(span.status, Status::Error { .. }) {
            line += " error";
        }
        for key in &self.attributes {
            if let Some(value) = span.attribute(key) {
                let _never_fails = write!(line, " {key}={value}");
            }
        }
        line
    }
}

fn number(node: Node<'_>, numbers: &mut HashMap<SpanId, usize>) {
    let next = numbers.len() + 1;
    numbers.entry(node.span().span_id).or_insert(next);
    for child in node.children() {
        number(child, numbers);
    }
}

const fn kind(kind: SpanKind) -> &'static str {
    match kind {
        SpanKind::Server => "server",
        SpanKind::Client => "client",
        SpanKind::Producer => "producer",
        SpanKind::Consumer => "consumer",
        SpanKind::Internal => "internal",
        _ => "unspecified",
    }
}
