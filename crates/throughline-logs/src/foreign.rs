//! Formatting that is not ours: the `Debug` and `Display` of the application's own types.
//!
//! They may write without end, fail, panic, or log. None of that may hurt the request or the line.

use std::{
    error::Error,
    fmt::{self, Write},
    panic::{AssertUnwindSafe, catch_unwind},
};

use crate::{FIELD_BYTES_MAX, escape};

/// How much of a value was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Written {
    Whole,
    /// Up to the limit; `…` stands at its end.
    Cut,
    /// Up to where its formatting failed or panicked; a marker stands at its end.
    Failed,
}

/// Appends `text`, at most `max` bytes of it.
#[inline]
pub(crate) fn text<const QUOTED: bool>(out: &mut Vec<u8>, text: &str, max: usize) -> Written {
    if text.len() <= max {
        escaped::<QUOTED>(out, text);
        return Written::Whole;
    }
    escaped::<QUOTED>(out, before(text, max));
    out.extend_from_slice(CUT.as_bytes());
    Written::Cut
}

/// Appends what the application's code writes, at most `max` bytes of it.
pub(crate) fn formatted<const QUOTED: bool>(
    out: &mut Vec<u8>,
    value: fmt::Arguments<'_>,
    max: usize,
) -> Written {
    let mut capped = Capped::<QUOTED> { out, left: max, cut: false };
    let result = catch_unwind(AssertUnwindSafe(|| capped.write_fmt(value)));
    let (written, marker) = match result {
        _ if capped.cut => (Written::Cut, CUT),
        Ok(Ok(())) => return Written::Whole,
        Ok(Err(_)) => (Written::Failed, FAILED),
        Err(_) => (Written::Failed, PANICKED),
    };
    out.extend_from_slice(marker.as_bytes());
    written
}

/// What the application's code writes, unescaped, for somebody who reads it before it is appended.
pub(crate) fn plain(value: fmt::Arguments<'_>) -> String {
    let mut text = Unescaped { text: String::new() };
    match catch_unwind(AssertUnwindSafe(|| text.write_fmt(value))) {
        Ok(Ok(())) => {}
        Ok(Err(_)) if text.text.len() >= PLAIN_BYTES_MAX => {}
        Ok(Err(_)) => text.text.push_str(FAILED),
        Err(_) => text.text.push_str(PANICKED),
    }
    text.text
}

/// The most that is read of a value; well beyond what is shown of it, so that no secret is cut before it is known.
const PLAIN_BYTES_MAX: usize = 4 * FIELD_BYTES_MAX;

struct Unescaped {
    text: String,
}

impl Write for Unescaped {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = PLAIN_BYTES_MAX.saturating_sub(self.text.len());
        if text.len() <= room {
            self.text.push_str(text);
            return Ok(());
        }
        self.text.push_str(before(text, room));
        Err(fmt::Error)
    }
}

/// The cause of `error`; none if asking for it panics.
pub(crate) fn source<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    catch_unwind(AssertUnwindSafe(|| error.source())).ok().flatten()
}

const CUT: &str = "…";
const FAILED: &str = "[formatting failed]";
const PANICKED: &str = "[formatting panicked]";

struct Capped<'a, const QUOTED: bool> {
    out: &'a mut Vec<u8>,
    left: usize,
    cut: bool,
}

impl<const QUOTED: bool> Write for Capped<'_, QUOTED> {
    /// Fails at the limit, so that well-behaved formatting of a huge value ends early.
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if !self.cut && text.len() <= self.left {
            self.left -= text.len();
            escaped::<QUOTED>(self.out, text);
            return Ok(());
        }
        escaped::<QUOTED>(self.out, before(text, self.left));
        self.left = 0;
        self.cut = true;
        Err(fmt::Error)
    }
}

#[inline]
fn escaped<const QUOTED: bool>(out: &mut Vec<u8>, text: &str) {
    if QUOTED { escape::quoted(out, text) } else { escape::bare(out, text) }
}

/// The longest beginning of `text` of at most `max` bytes that ends between two characters.
pub(crate) fn before(text: &str, max: usize) -> &str {
    (0..=max.min(text.len())).rev().find_map(|end| text.get(..end)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limited(value: fmt::Arguments<'_>, max: usize) -> (String, Written) {
        let mut out = Vec::new();
        let written = formatted::<true>(&mut out, value, max);
        (String::from_utf8(out).unwrap(), written)
    }

    struct Fails;

    impl fmt::Display for Fails {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("half")?;
            Err(fmt::Error)
        }
    }

    struct Panics;

    impl fmt::Display for Panics {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("half")?;
            panic!("a faulty Display")
        }
    }

    struct Endless;

    impl fmt::Display for Endless {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            loop {
                f.write_str("again ")?;
            }
        }
    }

    #[test]
    fn a_value_is_cut_between_characters() {
        assert_eq!(limited(format_args!("{}{}", "aé", "日本"), 9), ("aé日本".to_owned(), Written::Whole));
        for (max, kept) in [(8, "aé日…"), (6, "aé日…"), (5, "aé…"), (2, "a…"), (0, "…")] {
            assert_eq!(
                limited(format_args!("{}{}", "aé", "日本"), max),
                (kept.to_owned(), Written::Cut),
                "{max}"
            );
            let mut out = Vec::new();
            assert_eq!(text::<true>(&mut out, "aé日本", max), Written::Cut);
            assert_eq!(String::from_utf8(out).unwrap(), kept);
        }
    }

    #[test]
    fn faulty_formatting_ends_in_a_marker() {
        assert_eq!(
            limited(format_args!("{Fails}"), 99),
            ("half[formatting failed]".to_owned(), Written::Failed)
        );
        assert_eq!(
            limited(format_args!("{Panics}"), 99),
            ("half[formatting panicked]".to_owned(), Written::Failed)
        );
    }

    #[test]
    fn endless_formatting_ends_at_the_limit() {
        assert_eq!(limited(format_args!("{Endless}"), 8), ("again ag…".to_owned(), Written::Cut));
    }
}
