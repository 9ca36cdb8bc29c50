//! How often a request was sent before.

/// How often a request has been sent before: zero, like absence, on the first attempt.
///
/// Layers that retry mark what they send again with it, and client spans show it. It lives here, so that the two need
/// not know each other. Over HTTP it is an extension of the request and becomes `http.request.resend_count`.
///
/// ```
/// use throughline_core::ResendCount;
/// assert_eq!(ResendCount::default().next(), ResendCount(1));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct ResendCount(pub u32);

impl ResendCount {
    /// The count of the attempt after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        self.plus(1)
    }

    /// The count after so many more attempts; it stops at the largest number instead of starting over.
    #[must_use]
    pub const fn plus(self, attempts: u32) -> Self {
        Self(self.0.saturating_add(attempts))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_counts_up_and_never_around() {
        assert_eq!(ResendCount::default().next().next(), ResendCount(2));
        assert_eq!(ResendCount(3).plus(4), ResendCount(7));
        assert_eq!(ResendCount(u32::MAX).next(), ResendCount(u32::MAX));
    }
}
