//! How an operation ended.

use std::{any::type_name, fmt};

use throughline_core::semconv::error::ERROR_TYPE_OTHER;

/// What a handler returns, as far as telemetry wants to know: did it fail, and how?
///
/// Implemented for `()`, which never fails, and for [`Result`]. A type of your own that can mean failure implements it
/// too:
///
/// ```
/// use throughline_messaging::{Failure, Outcome};
///
/// enum Verdict { Done, Rejected(String) }
///
/// impl Outcome for Verdict {
///     fn failure(&self) -> Option<Failure<'_>> {
///         match self {
///             Self::Done => None,
///             Self::Rejected(why) => Some(Failure::new("rejected").message(why)),
///         }
///     }
/// }
/// ```
pub trait Outcome {
    /// The failure, or `None` for a success.
    fn failure(&self) -> Option<Failure<'_>>;
}

impl Outcome for () {
    fn failure(&self) -> Option<Failure<'_>> {
        None
    }
}

/// An `Err` is a failure: its type becomes `error.type`, its message the description of the span's status.
impl<T, E: fmt::Display> Outcome for Result<T, E> {
    fn failure(&self) -> Option<Failure<'_>> {
        self.as_ref().err().map(|error| Failure::new(error_type::<E>()).message(error))
    }
}

/// What there is to say of a failure.
#[derive(Clone, Copy)]
#[must_use = "it says nothing until an `Outcome` returns it"]
pub struct Failure<'a> {
    error_type: &'a str,
    message: Option<&'a dyn fmt::Display>,
}

impl<'a> Failure<'a> {
    /// A failure of a kind, of which there must be few: it is a label of metrics.
    pub const fn new(error_type: &'a str) -> Self {
        Self { error_type, message: None }
    }

    /// What a person should read. It is exported as it is: no secrets.
    pub const fn message(mut self, message: &'a dyn fmt::Display) -> Self {
        self.message = Some(message);
        self
    }

    pub(crate) const fn error_type(&self) -> &'a str {
        self.error_type
    }

    pub(crate) fn description(&self) -> String {
        self.message.map(ToString::to_string).unwrap_or_default()
    }
}

impl fmt::Debug for Failure<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Failure")
            .field("error_type", &self.error_type)
            .field("message", &self.description())
            .finish()
    }
}

/// How an operation ended, as the attribute `throughline.messaging.end` has it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum End<'a> {
    Complete,
    Error(Failure<'a>),
    Panic,
    /// Dropped before it was done.
    Cancelled,
}

impl<'a> End<'a> {
    pub(crate) fn of(outcome: &'a impl Outcome) -> Self {
        outcome.failure().map_or(Self::Complete, Self::Error)
    }

    /// What it means that an operation is dropped without having been finished.
    pub(crate) fn unfinished() -> End<'static> {
        if std::thread::panicking() { End::Panic } else { End::Cancelled }
    }

    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Error(_) => "error",
            Self::Panic => "panic",
            Self::Cancelled => "cancelled",
        }
    }

    /// The value of `error.type`, on span and metric alike.
    ///
    /// Whoever gives up waiting for an operation of their own hasn't seen it fail. A message whose handling was given
    /// up has not been handled.
    pub(crate) fn error_type(&self, handling: bool) -> Option<&'a str> {
        match self {
            Self::Complete => None,
            Self::Error(failure) => Some(failure.error_type()),
            Self::Panic => Some("panic"),
            Self::Cancelled => handling.then_some("cancelled"),
        }
    }

    pub(crate) fn description(&self) -> String {
        match self {
            Self::Error(failure) => failure.description(),
            Self::Complete | Self::Panic | Self::Cancelled => String::new(),
        }
    }
}

/// The name of the error's type, where that says something.
fn error_type<E>() -> &'static str {
    let name = type_name::<E>();
    let says_nothing = name.contains("dyn ") || matches!(name, "alloc::string::String" | "&str");
    if says_nothing { ERROR_TYPE_OTHER } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_named_by_its_type() {
        let outcome: Result<(), fmt::Error> = Err(fmt::Error);
        assert_eq!(outcome.failure().unwrap().error_type(), "core::fmt::Error");
        let description = outcome.failure().unwrap().description();
        assert_eq!(description, fmt::Error.to_string());
    }

    #[test]
    fn a_type_that_says_nothing_is_other() {
        let boxed: Result<(), Box<dyn std::error::Error + Send + Sync>> = Err("no".into());
        let text: Result<(), &str> = Err("no");
        let string: Result<(), String> = Err("no".to_owned());
        assert_eq!(boxed.failure().unwrap().error_type(), "_OTHER");
        assert_eq!(text.failure().unwrap().error_type(), "_OTHER");
        assert_eq!(string.failure().unwrap().error_type(), "_OTHER");
    }

    #[test]
    fn success_is_no_failure() {
        assert!(().failure().is_none());
        assert!(Ok::<_, fmt::Error>(7).failure().is_none());
    }
}
