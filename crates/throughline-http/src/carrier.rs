//! HTTP headers as a carrier.

use std::{cell::Cell, fmt};

use http::{HeaderMap, HeaderName, HeaderValue};
use throughline_core::Carrier;

/// A header map that ids, baggage and correlation id are read from and written to.
///
/// Repeated header lines are all read, in the order in which they arrived. What is set replaces every line of that
/// name. A name or value that HTTP doesn't allow is left out and [counted](Self::dropped); nothing here panics.
///
/// For HTTP libraries other than those that this crate has a layer for:
///
/// ```
/// use throughline_core::{Context, Pipeline};
/// use throughline_http::HeaderCarrier;
///
/// let mut headers = http::HeaderMap::new();
/// Pipeline::current().propagator().inject(&Context::current(), &mut HeaderCarrier::new(&mut headers));
/// ```
pub struct HeaderCarrier<'a> {
    headers: &'a mut HeaderMap,
    dropped: usize,
    /// A bit for the length of each header's name; zero where nobody has looked yet.
    lengths: Cell<u64>,
}

impl<'a> HeaderCarrier<'a> {
    /// Reads from and writes to `headers`.
    #[must_use]
    pub const fn new(headers: &'a mut HeaderMap) -> Self {
        Self { headers, dropped: 0, lengths: Cell::new(0) }
    }

    /// How many headers could not be set because HTTP doesn't allow their name or value.
    #[must_use]
    pub const fn dropped(&self) -> usize {
        self.dropped
    }
}

/// Up to this many headers are looked through for a name before it is hashed.
pub(crate) const SCANNED_HEADERS_MAX: usize = 16;

/// One of 64 bits, by the length of a name.
const fn length_bit(name: &str) -> u64 {
    1 << (name.len() & 63)
}

impl HeaderCarrier<'_> {
    /// Whether there may be a header with this name. Most requests lack most of ours, and to most of those no header's
    /// name is as long.
    fn may_have(&self, name: &str) -> bool {
        if self.lengths.get() == 0 {
            let lengths = self.headers.keys().map(|own| length_bit(own.as_str()));
            self.lengths.set(lengths.fold(0, |seen, length| seen | length));
        }
        self.lengths.get() & length_bit(name) != 0
    }
}

impl Carrier for HeaderCarrier<'_> {
    fn get_all<'a>(&'a self, name: &str, visit: &mut dyn FnMut(&'a [u8])) {
        if !self.may_have(name) {
            return;
        }
        // Looking at a handful of names is cheaper than hashing one.
        if self.headers.len() <= SCANNED_HEADERS_MAX {
            let own = self.headers.iter().filter(|(own, _)| own.as_str() == name);
            return own.for_each(|(_, value)| visit(value.as_bytes()));
        }
        let values = match well_known(name) {
            Some(name) => self.headers.get_all(name),
            None => self.headers.get_all(name),
        };
        values.iter().for_each(|value| visit(value.as_bytes()));
    }

    fn set(&mut self, name: &str, value: &str) {
        let (Some(name), Ok(value)) = (header_name(name), HeaderValue::from_str(value)) else {
            self.dropped += 1;
            return;
        };
        self.lengths.set(0);
        self.headers.insert(name, value);
    }

    fn remove(&mut self, name: &str) {
        match well_known(name) {
            Some(name) => self.headers.remove(name),
            None => self.headers.remove(name),
        };
    }

    fn names(&self, visit: &mut dyn FnMut(&str)) {
        self.headers.keys().for_each(|name| visit(name.as_str()));
    }
}

impl fmt::Debug for HeaderCarrier<'_> {
    /// Names no values: they may be secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HeaderCarrier")
            .field("names", &self.headers.keys())
            .field("dropped", &self.dropped)
            .finish()
    }
}

/// The header called `name`, if HTTP allows that name.
pub(crate) fn header_name(name: &str) -> Option<HeaderName> {
    well_known(name).cloned().or_else(|| name.parse().ok())
}

/// The names that every request asks for, parsed once.
fn well_known(name: &str) -> Option<&'static HeaderName> {
    match name {
        "traceparent" => Some(&TRACEPARENT),
        "tracestate" => Some(&TRACESTATE),
        "baggage" => Some(&BAGGAGE),
        "x-correlation-id" => Some(&CORRELATION_ID),
        _ => None,
    }
}

static TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
static TRACESTATE: HeaderName = HeaderName::from_static("tracestate");
static BAGGAGE: HeaderName = HeaderName::from_static("baggage");
static CORRELATION_ID: HeaderName = HeaderName::from_static("x-correlation-id");

#[cfg(test)]
mod tests {
    use super::*;

    fn all(carrier: &HeaderCarrier<'_>, name: &str) -> Vec<Vec<u8>> {
        let mut values = Vec::new();
        carrier.get_all(name, &mut |value| values.push(value.to_vec()));
        values
    }

    #[test]
    fn every_line_is_read_in_order_and_all_are_replaced() {
        for name in ["tracestate", "x-tenant"] {
            let mut headers = HeaderMap::new();
            headers.append(name, HeaderValue::from_static("a=1"));
            headers.append(name, HeaderValue::from_bytes(b"b=\xff").unwrap());
            let mut carrier = HeaderCarrier::new(&mut headers);
            assert_eq!(all(&carrier, name), [b"a=1".to_vec(), b"b=\xff".to_vec()]);

            carrier.set(name, "c=3");
            assert_eq!(all(&carrier, name), [b"c=3".to_vec()]);
            carrier.remove(name);
            assert!(all(&carrier, name).is_empty());
            assert_eq!(carrier.dropped(), 0);
        }
    }

    #[test]
    fn what_http_does_not_allow_is_left_out_and_counted() {
        let mut headers = HeaderMap::new();
        let mut carrier = HeaderCarrier::new(&mut headers);
        carrier.set("x-ok", "line\r\nbreak");
        carrier.set("not a name", "value");
        assert_eq!(carrier.dropped(), 2);
        assert!(all(&carrier, "not a name").is_empty());
        carrier.remove("not a name");
        assert!(headers.is_empty());
    }
}
