//! A trace as a table for people: the tree, what each span decided, how it ended, how long it took, what it logged.

mod decisions;
mod part;
mod rows;
mod steady;
mod table;

use throughline_testing::SpanTree;

pub(super) use part::Part;
pub(super) use steady::Look;
pub(super) use table::WIDTH;

/// A part of a trace, one line a span and one a log line, no line wider than 120 columns where that can be helped.
pub(super) fn draw(tree: &SpanTree, part: Part, look: Look) -> String {
    table::lay_out(&rows::rows(tree, part, look), look)
}
