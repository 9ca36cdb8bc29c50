//! Who decides what is secret.

use std::borrow::Cow;

/// Decides what telemetry may show.
///
/// [`Rules`](super::Rules) is the default. A closure that judges names is a rule, too, and [`Off`] hides nothing:
///
/// ```
/// use throughline_core::redact::{Redactor, Verdict};
///
/// let redactor = Redactor::new(|name: &str| match name {
///     "iban" => Verdict::Replace,
///     "raw_body" => Verdict::Drop,
///     _ => Verdict::Keep,
/// });
/// assert_eq!(redactor.judge("iban"), Verdict::Replace);
/// ```
///
/// All methods run on the request's thread: they must neither block nor log. What panics here panics there.
pub trait Redact: Send + Sync + 'static {
    /// What becomes of the value with this name: the field of a log line or the attribute of a span, a baggage member.
    ///
    /// The verdict is remembered, so it must depend on the name alone.
    fn name(&self, name: &str) -> Verdict;

    /// What becomes of the value of this parameter of a query; percent-encoding is undone already.
    ///
    /// A parameter cannot be left out: [`Verdict::Drop`] replaces its value, and [`Verdict::Inspect`] keeps it.
    fn parameter(&self, name: &str) -> Verdict {
        self.name(name)
    }

    /// What becomes of a user and a password before the host of a URL.
    fn credentials(&self) -> Verdict {
        Verdict::Replace
    }

    /// A text without the secrets that can be told by their form.
    ///
    /// Asked for values with the verdict [`Verdict::Inspect`], and for what has no name: messages, error texts.
    fn value<'a>(&self, text: &'a str) -> Cow<'a, str> {
        Cow::Borrowed(text)
    }
}

impl<F: Fn(&str) -> Verdict + Send + Sync + 'static> Redact for F {
    fn name(&self, name: &str) -> Verdict {
        self(name)
    }
}

/// What becomes of a value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// It is shown as it is.
    #[default]
    Keep,
    /// It is shown without the secrets that [`Redact::value`] finds in it, if it is a text.
    Inspect,
    /// [`REDACTED`](super::REDACTED) is shown in its place.
    Replace,
    /// Neither name nor value is shown.
    Drop,
}

/// Hides nothing, not even the credentials in a URL.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Off;

impl Redact for Off {
    fn name(&self, _: &str) -> Verdict {
        Verdict::Keep
    }

    fn credentials(&self) -> Verdict {
        Verdict::Keep
    }
}
