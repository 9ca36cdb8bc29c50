//! A thread that must not be observed.

use std::{cell::Cell, marker::PhantomData};

use crate::{ContextBridge, bridge};

thread_local! {
    static SUPPRESSED: Cell<bool> = const { Cell::new(false) };
}

/// Makes our layers ignore every span and event of this thread until the guard is dropped.
///
/// The export thread holds one for life: whatever its HTTP and gRPC clients log, at any level, never becomes telemetry,
/// so that exporting cannot feed itself.
pub fn suppress() -> SuppressGuard {
    let before = SUPPRESSED.with(|flag| flag.replace(true));
    SuppressGuard { before, _not_send: PhantomData }
}

/// Whether this thread is inside [`suppress`], or inside what a [`ContextBridge`](crate::ContextBridge) has for it.
#[must_use]
pub fn is_suppressed() -> bool {
    SUPPRESSED.with(Cell::get) || bridge::installed().is_some_and(ContextBridge::is_suppressed)
}

/// Ends the suppression of its thread when dropped.
#[must_use = "suppression ends when the guard is dropped"]
#[derive(Debug)]
pub struct SuppressGuard {
    before: bool,
    _not_send: PhantomData<*const ()>,
}

impl Drop for SuppressGuard {
    fn drop(&mut self) {
        SUPPRESSED.with(|flag| flag.set(self.before));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guards_nest() {
        assert!(!is_suppressed());
        let outer = suppress();
        drop(suppress());
        assert!(is_suppressed());
        drop(outer);
        assert!(!is_suppressed());
    }
}
