//! A trace as rows: one for a span, one for a log line.

use std::time::Duration;

use throughline_receiver::{AttributeValue, Span, SpanEvent, SpanKind, Status};
use throughline_testing::{Node, SpanTree};

use super::{Look, Part, decisions};

/// A line of the picture before its widths are known.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Row {
    Span {
        /// Branches, service and name.
        left: String,
        /// The branches that go on below it.
        trunk: String,
        /// Where it went, and what decided it; each part is short and stays in one piece.
        what: Vec<String>,
        status: String,
        time: String,
    },
    /// Branches, level, message and fields; or what is left out.
    Text(String),
}

pub(super) fn rows(tree: &SpanTree, part: Part, look: Look) -> Vec<Row> {
    let mut rows = Rows { part, look, rows: Vec::new() };
    for root in tree.roots() {
        rows.add(root, "", "");
    }
    rows.rows
}

struct Rows {
    part: Part,
    look: Look,
    rows: Vec<Row>,
}

impl Rows {
    /// Adds a node and what is below it; `branch` leads to the node, `trunk` past it.
    fn add(&mut self, node: Node<'_>, branch: &str, trunk: &str) {
        let span = node.span();
        let (children, others) = self.branches(node);
        let is_leaf = children.is_empty() && others.is_empty();
        let below = format!("{trunk}{}", if is_leaf { "   " } else { "│  " });
        self.rows.push(Row::Span {
            left: format!("{branch}{}  {}", span.service(), span.name),
            trunk: below.clone(),
            what: decisions::of(span, self.look),
            status: status(span),
            time: time(span.duration()),
        });
        self.rows
            .extend(span.events.iter().map(|event| Row::Text(format!("{below}{}", log(event, self.look)))));
        let last = if others.is_empty() { children.len().saturating_sub(1) } else { children.len() };
        for (place, child) in children.into_iter().enumerate() {
            let (fork, past) = if place == last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
            self.add(child, &format!("{trunk}{fork}"), &format!("{trunk}{past}"));
        }
        if !others.is_empty() {
            self.rows.push(Row::Text(format!("{trunk}└─ {}", Part::mention(&others))));
        }
    }

    /// What is below a node: what is shown, and what is only mentioned.
    fn branches<'a>(&self, node: Node<'a>) -> (Vec<Node<'a>>, Vec<Node<'a>>) {
        self.in_order(node).into_iter().partition(|child| self.part.has(child.span()))
    }

    /// The spans below a node in the order in which they began; consumers of one message begin in any order, and stand in that
    /// of their names where the picture is to be steady.
    fn in_order<'a>(&self, node: Node<'a>) -> Vec<Node<'a>> {
        let mut children: Vec<_> = node.children().collect();
        if self.look.is_steady() {
            children.sort_by_key(|child| match child.span().kind {
                SpanKind::Consumer => child.span().service().to_owned(),
                _ => String::new(),
            });
        }
        children
    }
}

/// The status code, or how else it ended; an exclamation mark where that is a failure.
fn status(span: &Span) -> String {
    let code = span.attribute("http.response.status_code").map(ToString::to_string);
    let end = span.attribute("throughline.http.end").map(ToString::to_string);
    let end = end.filter(|end| !matches!(end.as_str(), "complete" | "error"));
    match (&span.status, code.or(end)) {
        (Status::Error { .. }, Some(how)) => format!("{how} !"),
        (Status::Error { .. }, None) => "error !".to_owned(),
        (_, how) => how.unwrap_or_default(),
    }
}

/// A log line as it was written, without its time.
fn log(event: &SpanEvent, look: Look) -> String {
    let level = event.attributes.get("level").and_then(AttributeValue::as_str).unwrap_or("INFO");
    let own = event.attributes.iter().filter(|(key, _)| !matches!(*key, "level" | "target"));
    let fields = own.map(|(key, value)| format!(" {key}={}", look.value(key, &value.to_string())));
    format!("· {level} {} {}", event.name, fields.collect::<String>()).trim_end().to_owned()
}

fn time(duration: Duration) -> String {
    format!("{:.1}ms", duration.as_secs_f64() * 1_000.0)
}
