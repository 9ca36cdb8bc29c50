//! What a thread needs to put a line together, kept for its next line.

use std::cell::Cell;

use crate::{
    format::ShapedScratch, key::KeySet, key_text::KeyTexts, span_fields::SpanFields, time::TimeFormat,
};

/// A buffer that has grown beyond this is not kept: one huge line must not cost every thread its size for good.
const KEPT_BYTES_MAX: usize = 64 * 1024;

#[derive(Debug, Default)]
pub(crate) struct Scratch {
    pub(crate) line: Vec<u8>,
    pub(crate) keys: KeySet,
    pub(crate) key_texts: KeyTexts,
    pub(crate) time: TimeFormat,
    /// The fields of a late `record`.
    pub(crate) late: SpanFields,
    pub(crate) shaped: ShapedScratch,
}

thread_local! {
    static SCRATCH: Cell<Option<Box<Scratch>>> = const { Cell::new(None) };
}

/// Runs `work` with this thread's scratch.
///
/// Where the application logs from inside its own formatting, and so while a line is being put together, the inner line
/// gets a fresh one: neither line can touch the other.
#[inline]
pub(crate) fn with<T>(work: impl FnOnce(&mut Scratch) -> T) -> T {
    let mut scratch = SCRATCH.try_with(Cell::take).ok().flatten().unwrap_or_default();
    let result = work(&mut scratch);
    if scratch.line.capacity() > KEPT_BYTES_MAX {
        scratch.line = Vec::new();
    }
    // A thread that is being torn down keeps nothing.
    let _torn_down = SCRATCH.try_with(|kept| kept.set(Some(scratch)));
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nested_use_gets_a_fresh_one() {
        with(|outer| {
            outer.line.extend_from_slice(b"outer");
            with(|inner| {
                assert!(inner.line.is_empty());
                inner.line.extend_from_slice(b"inner");
            });
            assert_eq!(outer.line, b"outer");
            outer.line.clear();
        });
    }

    #[test]
    fn a_usual_buffer_is_kept_and_a_huge_one_is_not() {
        with(|scratch| scratch.line.reserve(1000));
        with(|scratch| assert!(scratch.line.capacity() >= 1000));
        with(|scratch| scratch.line.reserve(KEPT_BYTES_MAX + 1));
        with(|scratch| assert_eq!(scratch.line.capacity(), 0));
    }
}
