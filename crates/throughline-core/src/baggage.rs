//! The `baggage` header.

use std::{borrow::Cow, fmt, fmt::Write, sync::Arc};

/// As many members are always propagated (W3C Baggage, section 3.3.2).
pub const BAGGAGE_MEMBERS_MAX: usize = 64;
/// As many bytes are always propagated (W3C Baggage, section 3.3.2).
pub const BAGGAGE_BYTES_MAX: usize = 8_192;

/// Why an entry was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BaggageError {
    /// The key is not a token.
    Key,
    /// It would not fit any more.
    Full,
}

impl fmt::Display for BaggageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Key => "key is not a token",
            Self::Full => "baggage is full",
        })
    }
}

impl std::error::Error for BaggageError {}

/// What the application wants to know again at later hops.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Baggage(Option<Arc<Vec<Entry>>>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    key: Box<str>,
    value: Box<str>,
    /// The properties as they travel, normalised but still encoded.
    metadata: Box<str>,
}

impl Baggage {
    pub(crate) const EMPTY: Self = Self(None);

    /// Reads a header; several have to be joined with commas first. Says how many members were dropped.
    #[must_use]
    pub fn parse(header: &[u8]) -> (Self, usize) {
        let (mut entries, mut dropped, mut bytes) = (Vec::new(), 0, 0);
        for member in header.split(|byte| *byte == b',').map(<[u8]>::trim_ascii).filter(|m| !m.is_empty()) {
            let room = entries.len() < BAGGAGE_MEMBERS_MAX && bytes + member.len() < BAGGAGE_BYTES_MAX;
            match parse_member(member).filter(|_| room) {
                Some(entry) => {
                    bytes += member.len() + 1;
                    entries.push(entry);
                }
                None => dropped += 1,
            }
        }
        (Self::of(entries), dropped)
    }

    /// The decoded value of a key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&str> {
        self.iter().find(|(own, ..)| *own == key).map(|(_, value, _)| value)
    }

    /// Keys, decoded values and properties, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str, &str)> {
        self.entries().iter().map(|entry| (&*entry.key, &*entry.value, &*entry.metadata))
    }

    /// How many entries there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries().len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries().is_empty()
    }

    /// The same with this entry, in place of one with the same key.
    ///
    /// # Errors
    /// When the key is not a token, or there is no room left.
    pub fn insert(&self, key: &str, value: &str) -> Result<Self, BaggageError> {
        if key.is_empty() || !key.bytes().all(is_token) {
            return Err(BaggageError::Key);
        }
        let mut entries = self.remove(key).entries().to_vec();
        if entries.len() == BAGGAGE_MEMBERS_MAX {
            return Err(BaggageError::Full);
        }
        entries.push(Entry { key: key.into(), value: value.into(), metadata: Box::default() });
        Ok(Self::of(entries))
    }

    /// The same without this key.
    #[must_use]
    pub fn remove(&self, key: &str) -> Self {
        Self::of(self.entries().iter().filter(|entry| &*entry.key != key).cloned().collect())
    }

    /// The header: whole members, as many as fit.
    #[must_use]
    pub fn to_header(&self) -> String {
        let mut header = String::new();
        for entry in self.entries() {
            let mut member = format!("{}={}", entry.key, encode(&entry.value));
            if !entry.metadata.is_empty() {
                let _never_fails = write!(member, ";{}", entry.metadata);
            }
            let comma = usize::from(!header.is_empty());
            if header.len() + comma + member.len() <= BAGGAGE_BYTES_MAX {
                if comma == 1 {
                    header.push(',');
                }
                header.push_str(&member);
            }
        }
        header
    }

    fn entries(&self) -> &[Entry] {
        self.0.as_ref().map_or(&[], |entries| entries)
    }

    fn of(entries: Vec<Entry>) -> Self {
        Self((!entries.is_empty()).then(|| Arc::new(entries)))
    }
}

fn parse_member(member: &[u8]) -> Option<Entry> {
    let mut parts = member.split(|byte| *byte == b';');
    let (key, value) = pair(parts.next()?)?;
    let mut metadata = String::new();
    for property in parts {
        if !metadata.is_empty() {
            metadata.push(';');
        }
        match pair(property) {
            Some((key, value)) => {
                let _never_fails = write!(metadata, "{key}={}", encode(&value));
            }
            None => metadata.push_str(token(property)?),
        }
    }
    Some(Entry { key: key.into(), value: value.into(), metadata: metadata.into() })
}

fn pair(text: &[u8]) -> Option<(&str, Cow<'_, str>)> {
    let equals = text.iter().position(|byte| *byte == b'=')?;
    let value = text.get(equals + 1..)?.trim_ascii();
    if !value.iter().all(|byte| is_octet(*byte)) {
        return None;
    }
    Some((token(text.get(..equals)?)?, decode(value)))
}

fn token(text: &[u8]) -> Option<&str> {
    let text = text.trim_ascii();
    (!text.is_empty() && text.iter().all(|byte| is_token(*byte))).then(|| std::str::from_utf8(text).ok())?
}

const fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'!' | b'#' | b'$' | b'%' | b'&' | b'\'' | b'*' | b'+' | b'-' | b'.' | b'^' | b'_' | b'`' | b'|' | b'~')
}

const fn is_octet(byte: u8) -> bool {
    byte.is_ascii_graphic() && !matches!(byte, b'"' | b',' | b';' | b'\\')
}

fn decode(value: &[u8]) -> Cow<'_, str> {
    if !value.contains(&b'%') {
        return String::from_utf8_lossy(value);
    }
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value;
    while let [first, after @ ..] = rest {
        let hex = |digit: u8| (digit as char).to_digit(16).and_then(|value| u8::try_from(value).ok());
        if let [b'%', high, low, after @ ..] = rest
            && let (Some(high), Some(low)) = (hex(*high), hex(*low))
        {
            bytes.push(high << 4 | low);
            rest = after;
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    Cow::Owned(String::from_utf8_lossy(&bytes).into_owned())
}

fn encode(value: &str) -> String {
    let mut encoded = String::with_capacity(value.len());
    for byte in value.bytes() {
        if is_octet(byte) && byte != b'%' {
            encoded.push(byte as char);
        } else {
            let _never_fails = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}
