//! What is current on this thread: a stack of scopes, the innermost on top.
//!
//! A scope is an entered `tracing` span (put here by [`ContextLayer`](crate::ContextLayer)) or a context that somebody
//! entered by hand, usually one that came from another process. The one entered last is the parent of whatever is
//! created next, and the source of the ids of every log line and outgoing header.

use std::{
    any::Any,
    cell::{Cell, RefCell},
    marker::PhantomData,
    time::Instant,
};

use crate::{Companion, Context, ContextBridge, bridge};

thread_local! {
    static SCOPES: RefCell<Vec<Scope>> = const { RefCell::new(Vec::new()) };
    static NEXT_GUARD: Cell<u64> = const { Cell::new(0) };
}

struct Scope {
    owner: Owner,
    context: Context,
    /// What keeps the scope current on the other side of the bridge, if there is one and it could follow.
    attached: Option<Box<dyn Any>>,
}

/// Tells one scope of this thread from another; it says nothing once the scope has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ScopeId(Option<Owner>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Owner {
    /// The span with this id of the registry.
    Span(u64),
    /// The guard with this number.
    Guard(u64),
}

impl Context {
    /// The innermost context of this thread, or an empty one.
    ///
    /// ```
    /// use throughline_core::Context;
    /// assert!(Context::current().span().is_none());
    /// ```
    #[must_use]
    pub fn current() -> Self {
        bridge::installed()
            .map_or_else(|| innermost(|scope| scope.context.clone()).unwrap_or_default(), innermost_of_both)
    }

    /// The [`deadline`](Self::deadline) of the innermost context, for a tenth of what the whole context costs.
    #[must_use]
    pub fn current_deadline() -> Option<Instant> {
        match bridge::installed() {
            None => innermost(|scope| scope.context.deadline()).flatten(),
            Some(bridge) => innermost_of_both(bridge).deadline(),
        }
    }

    /// Makes this context current on this thread until the guard is dropped.
    ///
    /// Never hold the guard across an `.await`: use [`Carry`](crate::Carry) for futures.
    pub fn enter(&self) -> ContextGuard {
        let number = NEXT_GUARD.with(|next| next.replace(next.get().wrapping_add(1)));
        push(Owner::Guard(number), self.clone(), None);
        ContextGuard { number, _not_send: PhantomData }
    }
}

/// Runs `create` with `context` as the parent of the spans it creates.
///
/// This is how a span becomes the child of a caller in another process.
///
/// ```
/// # use throughline_core::{with_remote, Context};
/// let incoming = Context::default(); // from Propagator::extract
/// let span = with_remote(&incoming, || tracing::info_span!("import"));
/// ```
pub fn with_remote<T>(context: &Context, create: impl FnOnce() -> T) -> T {
    let _current = context.enter();
    create()
}

/// Ends the scope of an entered [`Context`] when dropped, in whatever order guards are dropped.
#[must_use = "the context is current only while the guard lives"]
#[derive(Debug)]
pub struct ContextGuard {
    number: u64,
    _not_send: PhantomData<*const ()>,
}

impl Drop for ContextGuard {
    fn drop(&mut self) {
        remove(Owner::Guard(self.number));
    }
}

#[inline]
pub(crate) fn push_span(id: u64, context: Context, companion: Option<&Companion>) {
    push(Owner::Span(id), context, companion);
}

pub(crate) fn pop_span(id: u64) {
    remove(Owner::Span(id));
}

/// The innermost context where it was entered by hand, beside the spans, or on the other side of the bridge.
pub(crate) fn entered_by_hand() -> Option<Context> {
    let by_hand = |scope: &Scope| matches!(scope.owner, Owner::Guard(_)).then(|| scope.context.clone());
    let Some(bridge) = bridge::installed() else {
        return innermost(by_hand).flatten();
    };
    let both = innermost_of_both(bridge);
    let ours = innermost(|scope| (by_hand(scope).is_some(), scope.context.span().cloned()));
    let (is_by_hand, span) = ours.unwrap_or_default();
    (is_by_hand || both.span() != span.as_ref()).then_some(both)
}

/// The innermost scope.
pub(crate) fn scope_id() -> ScopeId {
    ScopeId(innermost(|scope| scope.owner))
}

/// Whether nothing was entered on this thread, neither a span nor a context.
pub(crate) fn is_empty() -> bool {
    innermost(|_| ()).is_none()
}

// A thread that is being torn down has no scopes any more; it then simply has no current context.

fn innermost<T>(read: impl FnOnce(&Scope) -> T) -> Option<T> {
    SCOPES.try_with(|scopes| scopes.borrow().last().map(read)).ok().flatten()
}

/// Every scope of ours is one of theirs as well, so that their order is the order of both.
fn innermost_of_both(bridge: &dyn ContextBridge) -> Context {
    let both = bridge.current();
    match innermost(|scope| scope.attached.is_none().then(|| scope.context.clone())).flatten() {
        Some(known_to_us_alone) => known_to_us_alone,
        None => both.unwrap_or_default(),
    }
}

#[inline]
fn push(owner: Owner, context: Context, companion: Option<&Companion>) {
    // Outside the borrow: the other side runs code of its own.
    let attached = bridge::installed().and_then(|bridge| bridge.enter(&context, companion));
    let _torn_down = SCOPES.try_with(|scopes| scopes.borrow_mut().push(Scope { owner, context, attached }));
}

fn remove(owner: Owner) {
    let removed = SCOPES.try_with(|scopes| {
        let mut scopes = scopes.borrow_mut();
        // Nearly always the innermost.
        if scopes.last()?.owner == owner {
            return scopes.pop();
        }
        let place = scopes.iter().rposition(|scope| scope.owner == owner)?;
        Some(scopes.remove(place))
    });
    // The scope is dropped here, after the borrow has ended.
    drop(removed);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::CorrelationId;

    fn named(name: &str) -> Context {
        Context::default().with_correlation_id(CorrelationId::parse(name.as_bytes()).unwrap())
    }

    fn current() -> Option<String> {
        Context::current().correlation_id().map(|id| id.as_str().to_owned())
    }

    #[test]
    fn the_last_one_entered_is_current() {
        assert_eq!(current(), None);
        let outer = named("outer").enter();
        let inner = named("inner").enter();
        assert_eq!(current().as_deref(), Some("inner"));
        drop(inner);
        assert_eq!(current().as_deref(), Some("outer"));
        drop(outer);
        assert_eq!(current(), None);
    }

    #[test]
    fn the_deadline_is_that_of_the_innermost() {
        assert_eq!(Context::current_deadline(), None);
        let deadline = Instant::now();
        let _outer = named("outer").with_deadline(deadline).enter();
        assert_eq!(Context::current_deadline(), Some(deadline));
        let _inner = named("inner").enter();
        assert_eq!(Context::current_deadline(), None);
    }

    #[test]
    fn guards_may_be_dropped_in_any_order() {
        let outer = named("outer").enter();
        let inner = named("inner").enter();
        drop(outer);
        assert_eq!(current().as_deref(), Some("inner"));
        drop(inner);
        assert_eq!(current(), None);
    }

    #[test]
    fn each_thread_has_its_own_scopes() {
        let _here = named("here").enter();
        assert_eq!(std::thread::spawn(current).join().unwrap(), None);
    }
}
