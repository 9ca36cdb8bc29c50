//! Spans as the trees they form.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use throughline_receiver::{Span, SpanId, TraceId};

/// The spans of one or several traces, each below its parent, siblings in the order in which they began.
///
/// A span whose parent is not among the spans is a root here; [`SpanTree::orphans`] tells those apart from real roots.
#[derive(Clone, Debug, Default)]
pub struct SpanTree {
    spans: Vec<Arc<Span>>,
    children: Vec<Vec<usize>>,
    roots: Vec<usize>,
}

impl SpanTree {
    /// Puts spans in order. A parent is looked for in its child's trace only. Spans that claim to be their own ancestors are shown as roots.
    #[must_use]
    pub fn new(spans: impl IntoIterator<Item = Arc<Span>>) -> Self {
        let mut spans: Vec<_> = spans.into_iter().collect();
        spans.sort_by_key(|span| span.start_unix_nanos);
        let places: HashMap<(TraceId, SpanId), usize> =
            spans.iter().enumerate().map(|(place, span)| ((span.trace_id, span.span_id), place)).collect();
        let parent_of = |place: usize| -> Option<usize> {
            let span: &Arc<Span> = spans.get(place)?;
            places.get(&(span.trace_id, span.parent_span_id?)).copied()
        };
        let mut tree = Self { children: vec![Vec::new(); spans.len()], ..Self::default() };
        for place in 0..spans.len() {
            match parent_of(place) {
                Some(parent) if !leads_back(place, parent_of) => {
                    if let Some(children) = tree.children.get_mut(parent) {
                        children.push(place);
                    }
                }
                _ => tree.roots.push(place),
            }
        }
        tree.spans = spans;
        tree
    }

    /// The nodes without a parent among the spans, in the order in which they began.
    pub fn roots(&self) -> impl Iterator<Item = Node<'_>> {
        self.nodes(&self.roots)
    }

    /// All spans, in the order in which they began.
    #[must_use]
    pub fn spans(&self) -> &[Arc<Span>] {
        &self.spans
    }

    /// The spans that name a parent which is not among the spans, and say that it lives in this process.
    ///
    /// A parent in another process may simply be somebody else's.
    pub fn orphans(&self) -> impl Iterator<Item = &Span> {
        self.roots()
            .map(|node| node.span)
            .filter(|span| span.parent_span_id.is_some() && span.parent_is_remote() == Some(false))
    }

    /// The spans that name a parent which is not among the spans, wherever it lives.
    pub fn parentless(&self) -> impl Iterator<Item = &Span> {
        self.roots().map(|node| node.span).filter(|span| span.parent_span_id.is_some())
    }

    fn nodes<'a>(&'a self, places: &'a [usize]) -> impl Iterator<Item = Node<'a>> {
        places.iter().filter_map(move |place| {
            Some(Node { tree: self, span: self.spans.get(*place)?, children: self.children.get(*place)? })
        })
    }
}

impl FromIterator<Span> for SpanTree {
    fn from_iter<I: IntoIterator<Item = Span>>(spans: I) -> Self {
        Self::new(spans.into_iter().map(Arc::new))
    }
}

/// A span in its tree.
#[derive(Clone, Copy, Debug)]
pub struct Node<'a> {
    tree: &'a SpanTree,
    span: &'a Span,
    children: &'a [usize],
}

impl<'a> Node<'a> {
    /// The span itself.
    #[must_use]
    pub const fn span(&self) -> &'a Span {
        self.span
    }

    /// The spans below it, in the order in which they began.
    pub fn children(&self) -> impl Iterator<Item = Node<'a>> + use<'a> {
        self.tree.nodes(self.children)
    }
}

fn leads_back(from: usize, parent_of: impl Fn(usize) -> Option<usize>) -> bool {
    let mut seen = HashSet::from([from]);
    let mut at = from;
    while let Some(parent) = parent_of(at) {
        if !seen.insert(parent) {
            return true;
        }
        at = parent;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(id: u8, parent: Option<u8>, start: u64) -> Span {
        let mut span = Span::default();
        span.name = format!("s{id}");
        span.span_id = SpanId::from_bytes([id; 8]);
        span.parent_span_id = parent.map(|parent| SpanId::from_bytes([parent; 8]));
        span.start_unix_nanos = start;
        span
    }

    fn outline(node: Node<'_>) -> String {
        let below: Vec<_> = node.children().map(outline).collect();
        if below.is_empty() {
            node.span().name.clone()
        } else {
            format!("{}({})", node.span().name, below.join(" "))
        }
    }

    fn outlines(spans: impl IntoIterator<Item = Span>) -> Vec<String> {
        spans.into_iter().collect::<SpanTree>().roots().map(outline).collect()
    }

    #[test]
    fn siblings_stand_in_the_order_in_which_they_began() {
        let spans = [span(3, Some(1), 30), span(1, None, 10), span(2, Some(1), 20), span(4, Some(3), 40)];
        assert_eq!(outlines(spans), ["s1(s2 s3(s4))"]);
    }

    #[test]
    fn a_span_without_its_parent_is_a_root() {
        assert_eq!(outlines([span(2, Some(9), 20), span(1, None, 10)]), ["s1", "s2"]);
    }

    #[test]
    fn a_parent_in_another_trace_is_none() {
        let mut foreign = span(1, None, 10);
        foreign.trace_id = TraceId::from_bytes([7; 16]);
        assert_eq!(outlines([foreign, span(2, Some(1), 20)]), ["s1", "s2"]);
    }

    #[test]
    fn a_circle_does_not_hang() {
        assert_eq!(
            outlines([span(1, Some(2), 10), span(2, Some(1), 20), span(3, Some(3), 30)]),
            ["s1", "s2", "s3"]
        );
    }
}
