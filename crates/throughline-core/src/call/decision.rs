//! Who tells the facts, to which spans, and when.

use std::{
    cell::{Cell, RefCell},
    marker::PhantomData,
};

use tracing::Span;

use super::CallFacts;
use crate::{
    SpanExt, SpanRecord,
    current::{ScopeId, scope_id},
    edit_current_span,
};

thread_local! {
    static KNOWN: RefCell<Vec<Known>> = const { RefCell::new(Vec::new()) };
    /// How many there are of them: read by every call of every client, most of which know of none.
    static KNOWN_LEN: Cell<usize> = const { Cell::new(0) };
}

/// What a layer has decided on for one call, to be told to the span of the caller and to that of the call.
///
/// This is how a layer that never sees the client's span says something on it: it wraps the call to what is below it, and
/// each poll of the future that comes back, in [`within`](Self::within).
///
/// ```
/// use throughline_core::{CallDecision, CallFacts};
///
/// let mut decision = CallDecision::new(CallFacts::from([("app.replica", "eu-2".into())]));
/// decision.within(|| { /* the client opens its span, and calls `describe_call` */ });
/// ```
#[derive(Clone, Debug)]
pub struct CallDecision {
    facts: CallFacts,
    told: Told,
}

/// Whether the caller's span has been told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    NotYet,
    Yes,
}

impl CallDecision {
    /// A decision that nobody knows of yet.
    #[must_use]
    pub const fn new(facts: CallFacts) -> Self {
        Self { facts, told: Told::NotYet }
    }

    /// Runs `work`, and the client spans that are opened in it, on this thread, get the facts as attributes. So does the span
    /// that is current now, once `work` is done, where this is the first time.
    ///
    /// Where one is inside another, spans get the facts of both; for the same key, those of the inner one. All that is to be
    /// told to one caller costs one look-up. A client that is called elsewhere, in a task of its own behind a buffer, doesn't
    /// hear of them. A decision that is dropped before its first `within` was about nothing, and is told to nobody.
    pub fn within<T>(&mut self, work: impl FnOnce() -> T) -> T {
        let untold_in = (self.told == Told::NotYet).then(scope_id);
        let _known = Within::enter(self.facts.clone(), untold_in);
        self.told = Told::Yes;
        work()
    }

    /// Runs what comes before the first poll: [`within`](Self::within), but the caller's span isn't told. A call may be made in
    /// one span and waited for in another; it is the one that waits that is told, by all decisions alike.
    pub fn before<T>(&self, work: impl FnOnce() -> T) -> T {
        let _known = Within::enter(self.facts.clone(), None);
        work()
    }
}

/// Sets what is known of the call on the span that a client opens for it; for those who implement clients.
///
/// Costs a look at a number where nothing is known.
#[inline]
pub fn describe_call(record: &mut dyn SpanRecord) {
    if KNOWN_LEN.get() > 0 {
        describe(record);
    }
}

fn describe(record: &mut dyn SpanRecord) {
    let _torn_down = KNOWN.try_with(|known| known.borrow().iter().for_each(|one| record.facts(&one.facts)));
}

/// [`describe_call`] for a client that has nothing else to say about its new span.
pub fn describe_call_on(span: &Span) {
    if KNOWN_LEN.get() > 0 {
        span.edit(describe);
    }
}

/// Facts that hold on this thread.
struct Known {
    facts: CallFacts,
    /// The scope whose span has still to be told.
    untold_in: Option<ScopeId>,
}

/// While it lives, its facts are the innermost ones.
struct Within(PhantomData<*const ()>);

impl Within {
    fn enter(facts: CallFacts, untold_in: Option<ScopeId>) -> Self {
        let known = Known { facts, untold_in };
        // A thread that is being torn down knows nothing any more.
        let _torn_down = KNOWN.try_with(|all| {
            let mut all = all.borrow_mut();
            all.push(known);
            KNOWN_LEN.set(all.len());
        });
        Self(PhantomData)
    }
}

impl Drop for Within {
    fn drop(&mut self) {
        let _torn_down = KNOWN.try_with(|all| {
            let is_untold = all.borrow().last().is_some_and(|known| known.untold_in.is_some());
            if is_untold {
                tell_caller(all);
            }
            let mut all = all.borrow_mut();
            let over = all.pop();
            KNOWN_LEN.set(all.len());
            over
        });
    }
}

/// Tells the current span all that it has still to be told, by whoever is inside it.
fn tell_caller(all: &RefCell<Vec<Known>>) {
    let here = Some(scope_id());
    edit_current_span(|record| {
        let all = all.borrow();
        all.iter().filter(|known| known.untold_in == here).for_each(|known| record.facts(&known.facts));
    });
    all.borrow_mut()
        .iter_mut()
        .filter(|known| known.untold_in == here)
        .for_each(|known| known.untold_in = None);
}

#[cfg(test)]
mod tests {
    use std::{
        panic::{AssertUnwindSafe, catch_unwind},
        sync::Arc,
    };

    use super::*;
    use crate::{CallFact, SpanContext, Status, Value};

    /// Keeps the attributes, as a span layer would.
    #[derive(Default)]
    struct Kept(Vec<(String, String)>);

    impl SpanRecord for Kept {
        fn name(&mut self, _: &str) {}
        fn attribute(&mut self, key: &str, value: Value<'_>) {
            self.0.retain(|(known, _)| known != key);
            self.0.push((key.to_owned(), format!("{value:?}")));
        }
        fn link(&mut self, _: &SpanContext, _: &[(&str, Value<'_>)]) {}
        fn status(&mut self, _: Status<'_>) {}
        fn event(&mut self, _: &str, _: &[(&str, Value<'_>)]) {}
    }

    fn decision<const N: usize>(facts: [CallFact; N]) -> CallDecision {
        CallDecision::new(facts.into())
    }

    fn described() -> String {
        let mut kept = Kept::default();
        describe_call(&mut kept);
        kept.0.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn facts_hold_inside_and_the_inner_ones_win() {
        assert_eq!(described(), "");
        decision([("a", 1.into()), ("b", "x".into())]).within(|| {
            decision([("b", Arc::<str>::from("y").into())]).within(|| {
                assert_eq!(described(), r#"a=I64(1) b=Str("y")"#);
            });
            assert_eq!(described(), r#"a=I64(1) b=Str("x")"#);
        });
        assert_eq!(described(), "");
    }

    #[test]
    fn a_panic_inside_leaves_nothing_behind() {
        let work = || decision([("a", 1.into())]).within(|| panic!("inside"));
        assert!(catch_unwind(AssertUnwindSafe(work)).is_err());
        assert_eq!(described(), "");
    }

    #[test]
    fn another_thread_knows_nothing() {
        decision([("a", 1.into())]).within(|| {
            assert_eq!(std::thread::spawn(described).join().unwrap(), "");
        });
    }
}
