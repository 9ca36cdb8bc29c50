//! What somebody says of a call, as attributes.

use std::{
    any::Any,
    fmt,
    sync::{Arc, OnceLock},
};

use crate::Value;

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

/// Facts that are told together. Cloning them copies nothing.
///
/// ```
/// use throughline_core::CallFacts;
///
/// let once = CallFacts::from([("app.attempt", 2.into())]);
/// let often = CallFacts::kept([("app.replica", "eu-2".into()), ("app.replicas", 3.into())]);
/// assert_eq!((once.iter().count(), often.iter().count()), (1, 2));
/// ```
#[derive(Clone)]
pub struct CallFacts(Arc<Inner>);

struct Inner {
    facts: Box<[CallFact]>,
    memo: Option<Memo>,
}

type Memo = OnceLock<Box<dyn Any + Send + Sync>>;

impl CallFacts {
    /// Facts that are the same for many calls and are kept between them: a span layer may remember how it writes them.
    pub fn kept(facts: impl Into<Box<[CallFact]>>) -> Self {
        Self(Arc::new(Inner { facts: facts.into(), memo: Some(Memo::new()) }))
    }

    /// Each of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, Value<'_>)> {
        self.0.facts.iter().map(|(key, value)| (*key, value.into()))
    }

    /// What a span layer remembers of these facts; the first time, it is made. Nothing where they are told only once, and
    /// nothing where another kind of layer remembers something of its own.
    pub fn memo<T: Any + Send + Sync>(&self, make: impl FnOnce() -> T) -> Option<&T> {
        (&**self.0.memo.as_ref()?.get_or_init(|| Box::new(make())) as &dyn Any).downcast_ref()
    }
}

/// Facts of one call.
impl<F: Into<Box<[CallFact]>>> From<F> for CallFacts {
    fn from(facts: F) -> Self {
        Self(Arc::new(Inner { facts: facts.into(), memo: None }))
    }
}

impl fmt::Debug for CallFacts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
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
    use super::*;

    #[test]
    fn a_memo_is_made_once_and_only_for_what_is_kept() {
        let once = CallFacts::from([("a", 1.into())]);
        assert_eq!(once.memo(|| unreachable!("these are told once")), None::<&u8>);
        let kept = CallFacts::kept([("a", 1.into())]);
        assert_eq!(kept.memo(|| 7_u8), Some(&7));
        assert_eq!(kept.memo(|| 8_u8), Some(&7));
        assert_eq!(kept.memo(|| "another layer's"), None);
    }
}
