//! The `baggage` header of W3C Baggage: the application's own values that travel along.

use std::{borrow::Cow, error, fmt, sync::Arc};

use crate::octets;

/// The members that are always passed on (W3C Baggage, section 3.3.2).
pub const BAGGAGE_MEMBERS_MAX: usize = 64;

/// The bytes that are always passed on, separators included (W3C Baggage, section 3.3.2).
pub const BAGGAGE_BYTES_MAX: usize = 8192;

/// The bytes that are looked at: members beyond are counted as dropped, unread.
///
/// Our own limit, well above what HTTP servers let through as the sum of all headers.
pub const BAGGAGE_READ_BYTES_MAX: usize = 64 * 1024;

/// Keys with values that travel from hop to hop. Cheap to clone.
///
/// Everybody on the way can read it, and third parties may be on the way: nothing secret belongs here.
///
/// What was received is kept in the very form in which it was received, less white space, and passed on in that form.
/// So nothing that was decoded can leak out raw, and a value reads the same after any number of hops.
///
/// ```
/// # use throughline_core::Baggage;
/// # fn main() -> Result<(), throughline_core::BaggageError> {
/// let baggage = Baggage::default().insert("tenant", "blue, inc.")?;
/// assert_eq!(baggage.get("tenant"), Some("blue, inc."));
/// assert_eq!(baggage.to_header(), "tenant=blue%2C%20inc.");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Baggage(Option<Arc<List>>);

/// A list that is not empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct List {
    /// The members as they go onto the wire.
    wire: String,
    /// For each member its decoded value, where that differs from the one on the wire.
    decoded: Vec<Option<Box<str>>>,
}

/// Why a member could not be added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BaggageError {
    /// The key is not a token: visible ASCII without separators.
    Key,
    /// There would be more than [`BAGGAGE_MEMBERS_MAX`] members.
    TooManyMembers,
    /// The header would be longer than [`BAGGAGE_BYTES_MAX`].
    TooLong,
}

impl Baggage {
    pub(crate) const EMPTY: Self = Self(None);

    /// Reads the value of a header, or of several that were joined with `,`; also says how many members were dropped.
    ///
    /// A member that is malformed, or does not fit the limits any more, is dropped whole; the others are kept.
    #[must_use]
    pub fn parse(value: &[u8]) -> (Self, usize) {
        let mut reader = Reader::default();
        reader.read(value);
        reader.finish()
    }

    /// Whether there is nothing to pass on.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// How many members there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.as_ref().map_or(0, |list| list.decoded.len())
    }

    /// The decoded value of `key`: the last one, if somebody sent several.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&str> {
        self.members()
            .filter(|member| member.key == key)
            .last()
            .map(|member| member.value)
    }

    /// Key, decoded value and metadata of each member, in order.
    ///
    /// The metadata are the member's properties as one opaque text, as it is on the wire; empty if there are none.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str, &str)> {
        self.members()
            .map(|member| (member.key, member.value, member.metadata))
    }

    /// The same baggage with `key` set to `value`, at the end, in place of every member with that key.
    ///
    /// # Errors
    ///
    /// If the key is not a token, or if the result would exceed a limit: what is there already is never dropped for it.
    pub fn insert(&self, key: &str, value: &str) -> Result<Self, BaggageError> {
        if !octets::is_token(key.as_bytes()) {
            return Err(BaggageError::Key);
        }
        let mut list = self.without(key);
        let encoded = encoded(value);
        let decoded = matches!(encoded, Cow::Owned(_)).then(|| value.into());
        list.push(&format!("{key}={encoded}"), decoded)?;
        Ok(Self(Some(Arc::new(list))))
    }

    /// The same baggage without the members called `key`.
    #[must_use]
    pub fn remove(&self, key: &str) -> Self {
        self.without(key).into()
    }

    /// The value of a header that reads as this baggage.
    #[must_use]
    pub fn to_header(&self) -> String {
        self.wire().to_owned()
    }

    pub(crate) fn wire(&self) -> &str {
        self.0.as_ref().map_or("", |list| &list.wire)
    }

    fn members(&self) -> impl Iterator<Item = Member<'_>> {
        self.0.iter().flat_map(|list| list.members())
    }

    fn without(&self, key: &str) -> List {
        let mut list = List::default();
        for member in self.members().filter(|member| member.key != key) {
            // Part of a list that is within the limits is within them too.
            let _fits = list.push(member.wire, member.decoded.cloned());
        }
        list
    }
}

impl From<List> for Baggage {
    fn from(list: List) -> Self {
        Self((!list.decoded.is_empty()).then(|| Arc::new(list)))
    }
}

#[derive(Debug)]
struct Member<'a> {
    wire: &'a str,
    key: &'a str,
    value: &'a str,
    metadata: &'a str,
    decoded: Option<&'a Box<str>>,
}

impl List {
    fn members(&self) -> impl Iterator<Item = Member<'_>> {
        self.wire.split(',').zip(&self.decoded).map(|(wire, decoded)| {
            let (pair, metadata) = wire.split_once(';').unwrap_or((wire, ""));
            let (key, raw) = pair.split_once('=').unwrap_or((pair, ""));
            Member {
                wire,
                key,
                value: decoded.as_deref().unwrap_or(raw),
                metadata,
                decoded: decoded.as_ref(),
            }
        })
    }

    fn push(&mut self, member: &str, decoded: Option<Box<str>>) -> Result<(), BaggageError> {
        let comma = usize::from(!self.decoded.is_empty());
        if self.decoded.len() >= BAGGAGE_MEMBERS_MAX {
            return Err(BaggageError::TooManyMembers);
        }
        if self.wire.len() + comma + member.len() > BAGGAGE_BYTES_MAX {
            return Err(BaggageError::TooLong);
        }
        if comma > 0 {
            self.wire.push(',');
        }
        self.wire.push_str(member);
        self.decoded.push(decoded);
        Ok(())
    }
}

/// Reads baggage that may come in several headers: each of them continues the one before.
#[derive(Debug, Default)]
pub(crate) struct Reader {
    list: List,
    /// The member at hand, without its white space.
    member: String,
    bytes_read: usize,
    dropped: usize,
}

impl Reader {
    /// Reads one more header.
    pub(crate) fn read(&mut self, value: &[u8]) {
        for member in value.split(|byte| *byte == b',') {
            self.bytes_read = self.bytes_read.saturating_add(member.len() + ",".len());
            let member = octets::trim(member);
            if member.is_empty() {
                continue;
            }
            if self.bytes_read > BAGGAGE_READ_BYTES_MAX || self.take(member).is_none() {
                self.dropped += 1;
            }
        }
    }

    /// What was read, and how many members were dropped.
    pub(crate) fn finish(self) -> (Baggage, usize) {
        (self.list.into(), self.dropped)
    }

    /// Takes a member if it is well-formed and fits.
    fn take(&mut self, member: &[u8]) -> Option<()> {
        let mut parts = str::from_utf8(member).ok()?.split(';').map(split_pair);
        let (key, value) = parts.next()?;
        self.member.clear();
        push_pair(&mut self.member, key, Some(value?))?;
        for (key, value) in parts {
            self.member.push(';');
            push_pair(&mut self.member, key, value)?;
        }
        self.list.push(&self.member, decoded(value?)).ok()
    }
}

/// A key, and what follows the first `=`, if there is one.
fn split_pair(pair: &str) -> (&str, Option<&str>) {
    match pair.split_once('=') {
        Some((key, value)) => (trim(key), Some(trim(value))),
        None => (trim(pair), None),
    }
}

fn trim(text: &str) -> &str {
    text.trim_matches([' ', '\t'])
}

fn push_pair(member: &mut String, key: &str, value: Option<&str>) -> Option<()> {
    let is_valid =
        octets::is_token(key.as_bytes()) && value.is_none_or(|value| value.bytes().all(is_baggage_octet));
    if !is_valid {
        return None;
    }
    member.push_str(key);
    if let Some(value) = value {
        member.push('=');
        member.push_str(value);
    }
    Some(())
}

const fn is_baggage_octet(byte: u8) -> bool {
    byte.is_ascii_graphic() && !matches!(byte, b'"' | b',' | b';' | b'\\')
}

/// The decoded value, if that differs from `value`. Bytes that are not UTF-8 become U+FFFD.
fn decoded(value: &str) -> Option<Box<str>> {
    if !value.contains('%') {
        return None;
    }
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.as_bytes();
    while let Some((byte, after)) = octets::percent_decoded(rest) {
        bytes.push(byte);
        rest = after;
    }
    let text = String::from_utf8_lossy(&bytes);
    (text != value).then(|| text.into())
}

/// The value with everything that may not stand in a header, and `%` itself, percent-encoded.
fn encoded(value: &str) -> Cow<'_, str> {
    let stands_for_itself = |byte: u8| is_baggage_octet(byte) && byte != b'%';
    if value.bytes().all(stands_for_itself) {
        return Cow::Borrowed(value);
    }
    let mut encoded = String::with_capacity(value.len() + 16);
    for byte in value.bytes() {
        if stands_for_itself(byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            encoded.extend([byte >> 4, byte & 0x0f].map(upper_hex_digit));
        }
    }
    Cow::Owned(encoded)
}

fn upper_hex_digit(nibble: u8) -> char {
    char::from(if nibble < 10 {
        b'0' + nibble
    } else {
        b'A' + nibble - 10
    })
}

impl fmt::Debug for Baggage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Baggage").field(&self.wire()).finish()
    }
}

impl fmt::Display for BaggageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key => f.write_str("baggage key is not a token"),
            Self::TooManyMembers => write!(f, "baggage would have more than {BAGGAGE_MEMBERS_MAX} members"),
            Self::TooLong => write!(f, "baggage would have more than {BAGGAGE_BYTES_MAX} bytes"),
        }
    }
}

impl error::Error for BaggageError {}
