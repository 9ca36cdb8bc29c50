//! From HTTP's terms to those of the semantic conventions.

use std::{cell::Cell, net::IpAddr};

use http::{HeaderMap, HeaderName, HeaderValue, Version, header, uri::Scheme};
use throughline_core::Value;

use crate::carrier::SCANNED_HEADERS_MAX;

/// How much of a path, a query or a header is kept on a span; the sender decides how long they are.
pub(crate) const TEXT_LEN_MAX: usize = 2048;

/// `network.protocol.version`
pub(crate) fn protocol_version(version: Version) -> Option<&'static str> {
    match version {
        Version::HTTP_09 => Some("0.9"),
        Version::HTTP_10 => Some("1.0"),
        Version::HTTP_11 => Some("1.1"),
        Version::HTTP_2 => Some("2"),
        Version::HTTP_3 => Some("3"),
        _ => None,
    }
}

/// `url.scheme`, where it is one that HTTP runs over.
pub(crate) fn scheme(scheme: &Scheme) -> Option<&'static str> {
    if *scheme == Scheme::HTTP {
        Some("http")
    } else if *scheme == Scheme::HTTPS {
        Some("https")
    } else {
        None
    }
}

/// The port that a scheme stands for.
pub(crate) fn default_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    }
}

/// Splits `user@host:port` into host and port; an IPv6 address loses its brackets.
pub(crate) fn host_and_port(authority: &str) -> Option<(&str, Option<u16>)> {
    // Byte by byte: these texts are too short for a search that has to be set up.
    let after_credentials = authority.bytes().rposition(|byte| byte == b'@').map_or(0, |at| at + 1);
    let authority = authority.get(after_credentials..)?;
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => rest.split_once(']')?,
        None => {
            authority.split_at(authority.bytes().position(|byte| byte == b':').unwrap_or(authority.len()))
        }
    };
    let port = port.strip_prefix(':').and_then(|digits| digits.parse().ok());
    (!host.is_empty() && host.len() <= HOST_LEN_MAX).then_some((host, port))
}

/// The longest name that DNS knows.
pub(crate) const HOST_LEN_MAX: usize = 255;

/// The text of header `name`: absent where it is empty or isn't visible ASCII, and never longer than we keep.
pub(crate) fn header_text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let value = if headers.len() <= SCANNED_HEADERS_MAX {
        headers.iter().find(|(own, _)| *own == name).map(|(_, value)| value)
    } else {
        headers.get(name)
    };
    let text = value.map(HeaderValue::to_str)?.ok()?;
    (!text.is_empty()).then(|| capped(text, TEXT_LEN_MAX))
}

/// What `content-length` says, if it says anything.
pub(crate) fn announced_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// The first `len_max` bytes of `text`, or a little less where that would cut a character.
pub(crate) fn capped(text: &str, len_max: usize) -> &str {
    let cut = (0..=len_max.min(text.len())).rev().find(|place| text.is_char_boundary(*place));
    text.get(..cut.unwrap_or(0)).unwrap_or(text)
}

/// Runs `work` with an empty text whose memory is used again by the next call on this thread.
pub(crate) fn with_scratch<T>(work: impl FnOnce(&mut String) -> T) -> T {
    let mut text = SCRATCH.try_with(Cell::take).unwrap_or_default();
    text.clear();
    let result = work(&mut text);
    let _torn_down = SCRATCH.try_with(|scratch| scratch.set(text));
    result
}

thread_local! {
    static SCRATCH: Cell<String> = const { Cell::new(String::new()) };
}

/// Runs `work` with an address as text.
pub(crate) fn with_address<T>(address: IpAddr, work: impl FnOnce(&str) -> T) -> T {
    with_scratch(|text| {
        use std::fmt::Write;
        let _infallible = write!(text, "{address}");
        work(text)
    })
}

/// The attributes of one measurement, on the stack.
pub(crate) struct Labels<'a> {
    list: [(&'static str, Value<'a>); LABELS_LEN_MAX],
    len: usize,
}

/// As many as a duration of ours has.
const LABELS_LEN_MAX: usize = 7;

impl<'a> Labels<'a> {
    pub(crate) const fn new() -> Self {
        Self { list: [("", Value::Bool(false)); LABELS_LEN_MAX], len: 0 }
    }

    /// Adds an attribute, if it has a value.
    pub(crate) fn with(mut self, key: &'static str, value: Option<impl Into<Value<'a>>>) -> Self {
        if let (Some(value), Some(place)) = (value, self.list.get_mut(self.len)) {
            *place = (key, value.into());
            self.len += 1;
        }
        self
    }

    pub(crate) fn as_slice(&self) -> &[(&'static str, Value<'a>)] {
        self.list.get(..self.len).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_authority_is_a_host_and_maybe_a_port() {
        for (authority, expected) in [
            ("example.com", Some(("example.com", None))),
            ("example.com:8080", Some(("example.com", Some(8080)))),
            ("user:secret@example.com:8080", Some(("example.com", Some(8080)))),
            ("[::1]:8080", Some(("::1", Some(8080)))),
            ("[::1]", Some(("::1", None))),
            ("example.com:", Some(("example.com", None))),
            ("example.com:http", Some(("example.com", None))),
            ("example.com:99999", Some(("example.com", None))),
            ("[::1", None),
            (":8080", None),
            ("", None),
        ] {
            assert_eq!(host_and_port(authority), expected, "{authority}");
        }
        assert_eq!(host_and_port(&"a".repeat(256)), None);
    }

    #[test]
    fn a_cap_never_cuts_a_character() {
        assert_eq!(capped("äöü", 3), "ä");
        assert_eq!(capped("äöü", 100), "äöü");
    }
}
