//! Another library's idea of what is current, kept in step with ours.

use std::{
    any::Any,
    sync::{Arc, OnceLock},
};

use crate::Context;

/// What a span layer keeps of a span for the bridge: handed over each time that the span is entered.
pub type Companion = Arc<dyn Any + Send + Sync>;

/// Joins our scopes with those of another tracing library, so that the innermost scope is the parent on both sides.
///
/// Spans of ours are then parents of theirs, and theirs of ours, on each thread in the order in which they were entered.
/// Runs on the request's thread: it must not block, panic, or create spans or events.
pub trait ContextBridge: Send + Sync + 'static {
    /// A scope of ours begins on this thread: makes `context` current on the other side until what is returned is
    /// dropped, on the same thread. `companion` is what [`SpanData::accompany`](crate::SpanData::accompany) was given.
    ///
    /// `None` where the other side cannot follow; our scope is then innermost until it ends.
    fn enter(&self, context: &Context, companion: Option<&Companion>) -> Option<Box<dyn Any>>;

    /// The innermost context of this thread, ours or theirs; `None` where the other side has nothing current.
    fn current(&self) -> Option<Context>;

    /// Whether the other side wants nothing of this thread to be recorded.
    fn is_suppressed(&self) -> bool {
        false
    }
}

static INSTALLED: OnceLock<Box<dyn ContextBridge>> = OnceLock::new();

/// Installs the bridge of this process, for good. False if there is one already; the first one stays.
///
/// Scopes that are open by then are not known on the other side. Without a bridge, asking for one costs one load.
pub fn install_bridge(bridge: impl ContextBridge) -> bool {
    INSTALLED.set(Box::new(bridge)).is_ok()
}

#[inline]
pub(crate) fn installed() -> Option<&'static dyn ContextBridge> {
    INSTALLED.get().map(|bridge| &**bridge)
}
