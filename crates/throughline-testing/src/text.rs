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
    siblings: Siblings,
}

/// The order of spans that have the same parent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Siblings {
    #[default]
    ByBeginning,
    ByText,
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

    /// Siblings in the alphabetical order of their text in place of the order in which they began: for work that runs
    /// concurrently and begins in any order.
    pub fn sorted(mut self) -> Self {
        self.siblings = Siblings::ByText;
        self
    }

    /// The text, without a line break at its end.
    #[must_use]
    pub fn write(&self, tree: &SpanTree) -> String {
        let mut numbers = HashMap::new();
        let roots = self.in_order(tree.roots());
        for root in &roots {
            self.number(*root, &mut numbers);
        }
        let mut lines = Vec::new();
        for root in roots {
            self.lines(root, 0, &numbers, &mut lines);
        }
        lines.join("\n")
    }

    fn in_order<'a>(&self, siblings: impl Iterator<Item = Node<'a>>) -> Vec<Node<'a>> {
        let mut siblings: Vec<_> = siblings.collect();
        if self.siblings == Siblings::ByText {
            siblings.sort_by_cached_key(|node| self.outline(*node));
        }
        siblings
    }

    /// What is below a node, without any id.
    fn outline(&self, node: Node<'_>) -> String {
        let mut below: Vec<_> = node.children().map(|child| self.outline(child)).collect();
        below.sort_unstable();
        format!("{}({})", self.line(node.span(), false, &HashMap::new()), below.join(", "))
    }

    fn number(&self, node: Node<'_>, numbers: &mut HashMap<SpanId, usize>) {
        let next = numbers.len() + 1;
        numbers.entry(node.span().span_id).or_insert(next);
        for child in self.in_order(node.children()) {
            self.number(child, numbers);
        }
    }

    fn lines(&self, node: Node<'_>, depth: usize, numbers: &HashMap<SpanId, usize>, lines: &mut Vec<String>) {
        let indent = "  ".repeat(depth);
        lines.push(format!("{indent}{}", self.line(node.span(), depth == 0, numbers)));
        if self.events {
            lines.extend(node.span().events.iter().map(|event| format!("{indent}  - {}", event.name)));
        }
        for child in self.in_order(node.children()) {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Capture;

    #[test]
    fn concurrent_siblings_can_be_sorted() {
        let trees = [["b", "a"], ["a", "b"]].map(|names| {
            let capture = Capture::new("orders");
            capture.run(|| {
                tracing::info_span!("both").in_scope(|| {
                    for name in names {
                        tracing::info_span!("part", otel.name = name)
                            .in_scope(|| tracing::info_span!("work"));
                    }
                });
            });
            capture.tree_with(&TreeText::new().sorted())
        });
        assert_eq!(
            trees[0],
            "orders: both (internal) #1\n\
             \x20 orders: a (internal) #2\n\
             \x20   orders: work (internal) #3\n\
             \x20 orders: b (internal) #4\n\
             \x20   orders: work (internal) #5"
        );
        assert_eq!(trees[0], trees[1]);
    }
}
