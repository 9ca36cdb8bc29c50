//! Which part of a trace a picture shows.

use std::collections::BTreeSet;

use throughline_receiver::Span;
use throughline_testing::Node;

use crate::arguments::Service;

/// The whole trace, or what a scenario is about.
#[derive(Clone, Copy, Debug)]
pub(in crate::demo) enum Part {
    Whole,
    /// The spans of these services; branches of others are only mentioned.
    Only(&'static [Service]),
}

impl Part {
    pub(super) fn has(self, span: &Span) -> bool {
        match self {
            Self::Whole => true,
            Self::Only(services) => services.iter().any(|service| service.name() == span.service()),
        }
    }

    /// A line in place of branches that are left out.
    pub(super) fn mention(branches: &[Node<'_>]) -> String {
        let mut services = BTreeSet::new();
        branches.iter().for_each(|branch| collect(*branch, &mut services));
        format!("… {}", services.into_iter().collect::<Vec<_>>().join(", "))
    }
}

fn collect<'a>(node: Node<'a>, services: &mut BTreeSet<&'a str>) {
    services.insert(node.span().service());
    node.children().for_each(|child| collect(child, services));
}
