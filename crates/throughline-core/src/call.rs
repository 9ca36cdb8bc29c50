//! What is known of a call before the client's span of it is there.

use std::{cell::RefCell, marker::PhantomData, sync::Arc};

use tracing::Span;

use crate::{SpanExt, SpanRecord, Value};

thread_local! {
    static FACTS: RefCell<Vec<CallFact>> = const { RefCell::new(Vec::new()) };
}

/// An attribute of a call that somebody above its client has decided on: which instance it goes to, say.
pub type CallFact = (&'static str, CallValue);

/// The value of a [`CallFact`]. It outlives whoever decided, so it owns what it holds; cloning it copies no text.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum CallValue {
    /// A text of the program.
    Static(&'static str),
    /// A text that was made while it ran.
    Text(Arc<str>),
    /// A number.
    Number(u64),
}

/// Runs `work`, and the client spans that are opened in it, on this thread, get `facts` as attributes.
///
/// This is how a layer that never sees the client's span says something on it: it wraps the call to what is below it, and
/// each poll of the future that comes back. Where one is inside another, spans get the facts of both; for the same key, those
/// of the inner one. A client that is called elsewhere, in a task of its own behind a buffer, doesn't hear of them.
///
/// ```
/// use throughline_core::{CallFact, within_call};
///
/// let facts: [CallFact; 1] = [("app.replica", "eu-2".into())];
/// within_call(&facts, || { /* the client opens its span, and calls `describe_call` */ });
/// ```
pub fn within_call<T>(facts: &[CallFact], work: impl FnOnce() -> T) -> T {
    let _known = Known::enter(facts);
    work()
}

/// Sets what is known of the call on the span that a client opens for it; for those who implement clients.
///
/// Costs a look at a thread local where nothing is known.
pub fn describe_call(record: &mut dyn SpanRecord) {
    let _torn_down = FACTS.try_with(|facts| {
        for (key, value) in facts.borrow().iter() {
            record.attribute_static(key, value.into());
        }
    });
}

/// [`describe_call`] for a client that has nothing else to say about its new span.
pub fn describe_call_on(span: &Span) {
    let is_known = FACTS.try_with(|facts| !facts.borrow().is_empty());
    if is_known.unwrap_or_default() {
        span.edit(describe_call);
    }
}

/// While it lives, its facts are the innermost ones.
struct Known {
    /// How many there were before.
    outside: usize,
    _not_send: PhantomData<*const ()>,
}

impl Known {
    fn enter(facts: &[CallFact]) -> Self {
        let outside = FACTS.try_with(|all| {
            let mut all = all.borrow_mut();
            let outside = all.len();
            all.extend_from_slice(facts);
            outside
        });
        // A thread that is being torn down knows nothing any more.
        Self { outside: outside.unwrap_or_default(), _not_send: PhantomData }
    }
}

impl Drop for Known {
    fn drop(&mut self) {
        let _torn_down = FACTS.try_with(|facts| facts.borrow_mut().truncate(self.outside));
    }
}

impl<'a> From<&'a CallValue> for Value<'a> {
    fn from(value: &'a CallValue) -> Self {
        match value {
            CallValue::Static(text) => Self::Str(text),
            CallValue::Text(text) => Self::Str(text),
            CallValue::Number(number) => i64::try_from(*number).map_or(Self::U64(*number), Self::I64),
        }
    }
}

impl From<&'static str> for CallValue {
    fn from(text: &'static str) -> Self {
        Self::Static(text)
    }
}

impl From<Arc<str>> for CallValue {
    fn from(text: Arc<str>) -> Self {
        Self::Text(text)
    }
}

impl From<u64> for CallValue {
    fn from(number: u64) -> Self {
        Self::Number(number)
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;
    use crate::{SpanContext, Status};

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

    fn described() -> String {
        let mut kept = Kept::default();
        describe_call(&mut kept);
        kept.0.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn facts_hold_inside_and_the_inner_ones_win() {
        assert_eq!(described(), "");
        within_call(&[("a", 1.into()), ("b", "x".into())], || {
            within_call(&[("b", Arc::<str>::from("y").into())], || {
                assert_eq!(described(), r#"a=I64(1) b=Str("y")"#);
            });
            assert_eq!(described(), r#"a=I64(1) b=Str("x")"#);
        });
        assert_eq!(described(), "");
    }

    #[test]
    fn a_panic_inside_leaves_nothing_behind() {
        let panicked =
            catch_unwind(AssertUnwindSafe(|| within_call(&[("a", 1.into())], || panic!("inside"))));
        assert!(panicked.is_err());
        assert_eq!(described(), "");
    }

    #[test]
    fn another_thread_knows_nothing() {
        within_call(&[("a", 1.into())], || {
            assert_eq!(std::thread::spawn(described).join().unwrap(), "");
        });
    }
}
