//! Who called whom.

use std::{
    collections::{BTreeSet, HashMap},
    fmt,
    sync::Arc,
};

use throughline_receiver::{Span, SpanId};

/// A hop from one service to another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Edge {
    caller: String,
    callee: String,
    relation: Relation,
}

/// How the two sides of a hop are tied together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Relation {
    /// The callee's span is a child of the caller's.
    Child,
    /// The callee's span links to the caller's.
    Link,
}

impl Edge {
    /// The edge from `caller` to `callee`.
    pub fn new(caller: &str, callee: &str, relation: Relation) -> Self {
        Self { caller: caller.to_owned(), callee: callee.to_owned(), relation }
    }
}

impl fmt::Display for Edge {
    /// `gateway → orders`, with `(link)` behind it where it is one.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let how = if self.relation == Relation::Link { " (link)" } else { "" };
        write!(f, "{} → {}{how}", self.caller, self.callee)
    }
}

/// The hops between different services, each once, in alphabetical order.
///
/// ```
/// use throughline_testing::edges;
/// assert!(edges(&[]).is_empty());
/// ```
#[must_use]
pub fn edges(spans: &[Arc<Span>]) -> BTreeSet<Edge> {
    let services: HashMap<SpanId, &str> = spans.iter().map(|span| (span.span_id, span.service())).collect();
    let edge = |caller: SpanId, callee: &Span, relation| {
        let caller = *services.get(&caller)?;
        (caller != callee.service()).then(|| Edge::new(caller, callee.service(), relation))
    };
    let mut found = BTreeSet::new();
    for span in spans {
        found.extend(span.parent_span_id.and_then(|parent| edge(parent, span, Relation::Child)));
        found.extend(span.links.iter().filter_map(|link| edge(link.span_id, span, Relation::Link)));
    }
    found
}
