//! How an error says that nothing was sent.

use std::{error::Error, fmt};

/// Nothing was sent, and the next try would not be either: a source of the errors of whoever refuses a call before it sends it.
///
/// The errors of an open breaker and of a balancer without instances have it. A type of error that has it as its source is not sent again by the retry, which neither
/// waits for such an error nor pays for it.
///
/// ```
/// use std::{error::Error, fmt};
/// use throughline_resilience::Refused;
///
/// #[derive(Debug)]
/// struct QuotaSpent;
///
/// impl fmt::Display for QuotaSpent {
///     fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
///         f.write_str("the quota of today is spent")
///     }
/// }
///
/// impl Error for QuotaSpent {
///     fn source(&self) -> Option<&(dyn Error + 'static)> {
///         Some(&Refused)
///     }
/// }
///
/// assert!(Refused::is_in(&QuotaSpent));
/// assert!(!Refused::is_in(&std::io::Error::other("connection reset")));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Refused;

impl Refused {
    /// Whether `error` is this, or has it among its sources.
    #[must_use]
    pub fn is_in(error: &(dyn Error + 'static)) -> bool {
        std::iter::successors(Some(error), |&error| error.source()).any(|error| error.is::<Self>())
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("nothing was sent")
    }
}

impl Error for Refused {}
