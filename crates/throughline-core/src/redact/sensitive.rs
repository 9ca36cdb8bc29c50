//! A value that keeps itself to itself.

use std::fmt;

use super::REDACTED;

/// A secret: whoever prints it, with `Debug` or `Display`, writes [`REDACTED`].
///
/// The value is read with [`expose`](Self::expose) and in no other way, so that every place that reads it can be found.
/// As a field of a span or an event it goes with `?` or `%`; inside an error or another type it stays hidden there, too.
/// It isn't wiped from memory; for that, wrap a type that is.
///
/// ```
/// use throughline_core::redact::Sensitive;
///
/// let pin = Sensitive::new("4711".to_owned());
/// tracing::info!(%pin, "card checked"); // pin=REDACTED
/// assert_eq!(format!("{pin} {pin:?}"), "REDACTED REDACTED");
/// assert_eq!(pin.expose(), "4711");
/// ```
#[derive(Clone, Copy, Default)]
pub struct Sensitive<T: ?Sized>(T);

impl<T> Sensitive<T> {
    /// Hides `value`.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// The value itself, hidden no more.
    pub fn into_exposed(self) -> T {
        self.0
    }
}

impl<T: ?Sized> Sensitive<T> {
    /// The value itself.
    pub const fn expose(&self) -> &T {
        &self.0
    }
}

impl<T> From<T> for Sensitive<T> {
    fn from(value: T) -> Self {
        Self(value)
    }
}

impl<T: ?Sized> fmt::Debug for Sensitive<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REDACTED)
    }
}

impl<T: ?Sized> fmt::Display for Sensitive<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REDACTED)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_form_of_printing_shows_it() {
        let secret = Sensitive::new("hunter2");
        for shown in
            [format!("{secret}"), format!("{secret:?}"), format!("{secret:#?}"), format!("{secret:>20.3}")]
        {
            assert_eq!(shown, REDACTED);
        }
        let nested: Option<Vec<Sensitive<String>>> = Some(vec!["hunter2".to_owned().into()]);
        assert_eq!(format!("{nested:?}"), "Some([REDACTED])");
        let unsized_one: &Sensitive<[u8]> = &Sensitive::new([1, 2]);
        assert_eq!(format!("{unsized_one:?}"), REDACTED);
        assert_eq!(secret.into_exposed(), "hunter2");
    }
}
