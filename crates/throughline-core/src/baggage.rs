//! The `baggage` header of W3C Baggage: the application's own values that travel along.

use std::{borrow::Cow, error, fmt, sync::Arc};

use crate::{edge::BaggageFilter, octets, redact::Redactor};

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
        let mut reader = Reader::new(None);
        reader.read(value);
        let (baggage, losses) = reader.finish();
        (baggage, losses.dropped)
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
        self.members().filter(|member| member.key == key).last().map(|member| member.value)
    }

    /// Key, decoded value and metadata of each member, in order.
    ///
    /// The metadata are the member's properties as one opaque text, as it is on the wire; empty if there are none.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str, &str)> {
        self.members().map(|member| (member.key, member.value, member.metadata))
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
        list.push(&format!("{key}={encoded}"), decoded, &Limits::STANDARD)?;
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
            let _fits = list.push(member.wire, member.decoded.map(Box::from), &Limits::STANDARD);
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
    decoded: Option<&'a str>,
}

impl List {
    fn members(&self) -> impl Iterator<Item = Member<'_>> {
        self.wire.split(',').zip(&self.decoded).map(|(wire, decoded)| {
            let decoded = decoded.as_deref();
            let (pair, metadata) = wire.split_once(';').unwrap_or((wire, ""));
            let (key, raw) = pair.split_once('=').unwrap_or((pair, ""));
            Member { wire, key, value: decoded.unwrap_or(raw), metadata, decoded }
        })
    }

    fn push(&mut self, member: &str, decoded: Option<Box<str>>, limits: &Limits) -> Result<(), BaggageError> {
        let comma = usize::from(!self.decoded.is_empty());
        if self.decoded.len() >= limits.members_max {
            return Err(BaggageError::TooManyMembers);
        }
        if self.wire.len() + comma + member.len() > limits.bytes_max {
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

/// How much a list may hold.
#[derive(Debug, PartialEq, Eq)]
struct Limits {
    members_max: usize,
    bytes_max: usize,
}

impl Limits {
    const STANDARD: Self = Self { members_max: BAGGAGE_MEMBERS_MAX, bytes_max: BAGGAGE_BYTES_MAX };
}

/// Reads baggage that may come in several headers: each of them continues the one before.
#[derive(Debug)]
pub(crate) struct Reader<'f> {
    list: List,
    /// What an edge lets in.
    filter: Option<&'f BaggageFilter>,
    limits: Limits,
    /// The member at hand, without its white space.
    member: String,
    bytes_read: usize,
    losses: Losses,
}

/// How many members were left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Losses {
    /// Malformed, or above the limits that hold everywhere.
    pub(crate) dropped: usize,
    /// Not let in by the edge.
    pub(crate) refused: usize,
}

enum Loss {
    Dropped,
    Refused,
}

impl<'f> Reader<'f> {
    /// Reads what `filter` lets in, or everything.
    pub(crate) fn new(filter: Option<&'f BaggageFilter>) -> Self {
        let limits = filter.map_or(Limits::STANDARD, |filter| Limits {
            members_max: filter.members_max,
            bytes_max: filter.bytes_max,
        });
        let (list, member) = Default::default();
        Self { list, filter, limits, member, bytes_read: 0, losses: Losses::default() }
    }

    /// Reads one more header.
    pub(crate) fn read(&mut self, value: &[u8]) {
        for member in value.split(|byte| *byte == b',') {
            self.bytes_read = self.bytes_read.saturating_add(member.len() + ",".len());
            let member = octets::trim(member);
            if member.is_empty() {
                continue;
            }
            let taken =
                if self.bytes_read > BAGGAGE_READ_BYTES_MAX { Err(Loss::Dropped) } else { self.take(member) };
            match taken {
                Ok(()) => {}
                Err(Loss::Dropped) => self.losses.dropped += 1,
                Err(Loss::Refused) => self.losses.refused += 1,
            }
        }
    }

    /// Takes a member from a carrier that has one field for each, with its value as it is meant.
    #[cfg(feature = "jaeger")]
    pub(crate) fn read_member(&mut self, key: &str, value: &str) {
        if octets::is_token(key.as_bytes()) {
            self.read(format!("{key}={}", encoded(value)).as_bytes());
        } else {
            self.losses.dropped += 1;
        }
    }

    /// What was read, and what was left out.
    pub(crate) fn finish(self) -> (Baggage, Losses) {
        (self.list.into(), self.losses)
    }

    /// Takes a member if it is well-formed, is let in, and fits.
    fn take(&mut self, member: &[u8]) -> Result<(), Loss> {
        let mut parts = str::from_utf8(member).map_err(|_| Loss::Dropped)?.split(';').map(split_pair);
        let (key, value) = parts.next().ok_or(Loss::Dropped)?;
        if self.filter.is_some_and(|filter| !filter.allows(key)) {
            return Err(Loss::Refused);
        }
        let value = value.ok_or(Loss::Dropped)?;
        self.member.clear();
        push_pair(&mut self.member, key, Some(value)).ok_or(Loss::Dropped)?;
        for (key, value) in parts {
            self.member.push(';');
            push_pair(&mut self.member, key, value).ok_or(Loss::Dropped)?;
        }
        let pushed = self.list.push(&self.member, decoded(value), &self.limits);
        pushed.map_err(|_| if self.limits == Limits::STANDARD { Loss::Dropped } else { Loss::Refused })
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
    octets::percent_encoded(value, |byte| is_baggage_octet(byte) && byte != b'%')
}

/// Hides the values of members that the default rules of [`redact`](crate::redact) deny, and all metadata.
impl fmt::Debug for Baggage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(Redactor::shared_default().baggage(self)).finish()
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(value: &str) -> (Baggage, usize) {
        Baggage::parse(value.as_bytes())
    }

    fn entries(baggage: &Baggage) -> Vec<(&str, &str, &str)> {
        baggage.iter().collect()
    }

    #[test]
    fn what_is_accepted_how_it_reads_and_how_it_is_passed_on() {
        for (value, expected, wire) in [
            ("", &[][..], ""),
            (" \t,, ,", &[], ""),
            ("a=1", &[("a", "1", "")], "a=1"),
            ("a=1,b=2", &[("a", "1", ""), ("b", "2", "")], "a=1,b=2"),
            // White space around keys, values and properties.
            (" a \t= 1\t, b = 2 ; p ; q = 3 ", &[("a", "1", ""), ("b", "2", "p;q=3")], "a=1,b=2;p;q=3"),
            // The first `=` splits; an empty value is one.
            ("a=b=c==,d=", &[("a", "b=c==", ""), ("d", "", "")], "a=b=c==,d="),
            ("a=1;p=q=r", &[("a", "1", "p=q=r")], "a=1;p=q=r"),
            // Encoded text, and a percent sign that encodes nothing.
            ("a=%41%c3%A9%20%25", &[("a", "A\u{e9} %", "")], "a=%41%c3%A9%20%25"),
            (
                "a=100%,b=%zz,c=%4",
                &[("a", "100%", ""), ("b", "%zz", ""), ("c", "%4", "")],
                "a=100%,b=%zz,c=%4",
            ),
            // Encoded separators stay encoded on the wire.
            ("a=1%2Cb%3D2%3Bp%5C%22;q=%3B", &[("a", "1,b=2;p\\\"", "q=%3B")], "a=1%2Cb%3D2%3Bp%5C%22;q=%3B"),
            // What is not UTF-8 reads as U+FFFD, and the member is kept.
            ("a=%FFx%C3", &[("a", "\u{fffd}x\u{fffd}", "")], "a=%FFx%C3"),
            // A plus sign is a plus sign, and keys are not decoded.
            ("a=1+2,%41=3", &[("a", "1+2", ""), ("%41", "3", "")], "a=1+2,%41=3"),
            // Every octet that may stand in a value.
            (
                "a=!#$&'()*+-./09:<=>?@AZ[]^_`az{|}~",
                &[("a", "!#$&'()*+-./09:<=>?@AZ[]^_`az{|}~", "")],
                "a=!#$&'()*+-./09:<=>?@AZ[]^_`az{|}~",
            ),
            // Duplicates keep their order.
            ("a=1,b=2,a=3", &[("a", "1", ""), ("b", "2", ""), ("a", "3", "")], "a=1,b=2,a=3"),
        ] {
            let (baggage, dropped) = read(value);
            assert_eq!((entries(&baggage), dropped), (expected.to_vec(), 0), "{value:?}");
            assert_eq!(baggage.to_header(), wire, "{value:?}");
            assert_eq!((baggage.len(), baggage.is_empty()), (expected.len(), expected.is_empty()));
        }
    }

    #[test]
    fn a_malformed_member_goes_and_the_others_stay() {
        for malformed in [
            "b",
            "=2",
            " = 2",
            "b b=2",
            "b(=2",
            "b\u{e9}=2",
            "b=2 3",
            "b=\"2\"",
            "b=2\\",
            "b=caf\u{e9}",
            "b=\u{7f}",
            "b=\0",
            "b=2\n",
            "b=2;",
            "b=2;;p",
            "b=2; ;p",
            "b=2;p q",
            "b=2;=q",
            "b=2;p=\"q\"",
            "b;p=2",
        ] {
            let (baggage, dropped) = read(&format!("a=1,{malformed} ,c=3;p"));
            assert_eq!((&*baggage.to_header(), dropped), ("a=1,c=3;p", 1), "{malformed:?}");
        }
        let (baggage, dropped) = Baggage::parse(b"a=1,b=\xff,c=3");
        assert_eq!((&*baggage.to_header(), dropped), ("a=1,c=3", 1));
    }

    #[test]
    fn up_to_64_members_and_8192_bytes_everything_is_passed_on() {
        let members =
            |count: usize| (0..count).map(|number| format!("k{number}=v")).collect::<Vec<_>>().join(",");
        assert_eq!(read(&members(64)).0.to_header(), members(64));
        let (baggage, dropped) = read(&members(70));
        assert_eq!((baggage.to_header(), dropped), (members(64), 6));

        let longest = format!("a=1,k={}", "v".repeat(BAGGAGE_BYTES_MAX - "a=1,k=".len()));
        assert_eq!(read(&longest), (read(&longest).0, 0));
        assert_eq!(read(&longest).0.to_header(), longest);
        let encoded = format!("k={}", "%FF".repeat(2_730));
        assert_eq!(
            read(&encoded).0.to_header(),
            encoded,
            "what grows when decoded does not grow on the wire"
        );
    }

    #[test]
    fn a_member_that_does_not_fit_goes_whole_and_later_ones_that_fit_stay() {
        let big = format!("big={}", "v".repeat(BAGGAGE_BYTES_MAX));
        let (baggage, dropped) = read(&format!("a=1,{big},b=2"));
        assert_eq!((&*baggage.to_header(), dropped), ("a=1,b=2", 1));
    }

    #[test]
    fn what_lies_beyond_the_limit_of_reading_is_counted_unread() {
        let padding = " ".repeat(BAGGAGE_READ_BYTES_MAX);
        let (baggage, dropped) = read(&format!("a=1,{padding},b=2,c=3"));
        assert_eq!((&*baggage.to_header(), dropped), ("a=1", 2));
        let (baggage, dropped) = read(&"k=v,".repeat(1 << 18));
        assert_eq!((baggage.len(), dropped), (64, (1 << 18) - 64));
        let (baggage, dropped) = read(&"v".repeat(1 << 20));
        assert_eq!((baggage.len(), dropped), (0, 1));
    }

    #[test]
    fn several_headers_are_one_list() {
        let mut reader = Reader::new(None);
        for value in ["a=1;p,", "", "bad", " b=2 "] {
            reader.read(value.as_bytes());
        }
        let (baggage, losses) = reader.finish();
        assert_eq!((&*baggage.to_header(), losses), ("a=1;p,b=2", Losses { dropped: 1, refused: 0 }));
    }

    #[test]
    fn the_last_of_several_values_is_the_one() {
        let (baggage, _) = read("a=1,b=2,a=3");
        assert_eq!((baggage.get("a"), baggage.get("b"), baggage.get("A")), (Some("3"), Some("2"), None));
    }

    #[test]
    fn an_insertion_replaces_and_is_encoded() {
        let baggage = read("a=1;p,b=%20;q,a=2").0.insert("a", "x, y;z=\\\"100%\u{e9}").unwrap();
        assert_eq!(baggage.to_header(), "b=%20;q,a=x%2C%20y%3Bz=%5C%22100%25%C3%A9");
        assert_eq!(baggage.get("a"), Some("x, y;z=\\\"100%\u{e9}"));
        assert_eq!(baggage.get("b"), Some(" "), "the others keep what they decode to");
        assert_eq!(baggage.remove("a").to_header(), "b=%20;q");
        assert!(baggage.remove("a").remove("b").is_empty());
        assert_eq!(baggage.remove("none"), baggage);
    }

    #[test]
    fn an_insertion_beyond_a_limit_is_refused() {
        let full =
            (0..64).fold(Baggage::default(), |all, number| all.insert(&format!("k{number}"), "v").unwrap());
        assert_eq!(full.insert("more", ""), Err(BaggageError::TooManyMembers));
        assert_eq!(full.insert("k0", "w").unwrap().len(), 64);
        let fits = "v".repeat(BAGGAGE_BYTES_MAX - 2);
        assert_eq!(Baggage::default().insert("k", &fits).unwrap().to_header().len(), BAGGAGE_BYTES_MAX);
        assert_eq!(Baggage::default().insert("kk", &fits), Err(BaggageError::TooLong));
        for key in ["", "a b", "a=b", "a,b", "a;b", "caf\u{e9}", "a\n"] {
            assert_eq!(Baggage::default().insert(key, "v"), Err(BaggageError::Key), "{key:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_reads_the_same(
            members in prop::collection::vec(("[!#$%&'*+.^_`|~0-9A-Za-z-]{1,8}", ".{0,20}"), 0..20),
        ) {
            let baggage = members.iter().fold(Baggage::default(), |all, (key, value)| all.insert(key, value).unwrap());
            let wire = baggage.to_header();
            let (again, dropped) = read(&wire);
            prop_assert_eq!(dropped, 0);
            prop_assert_eq!(&again, &baggage);
            for (key, _) in &members {
                let last = members.iter().rev().find(|(other, _)| other == key).map(|(_, value)| value.as_str());
                prop_assert_eq!(again.get(key), last);
            }
            prop_assert!(wire.bytes().all(|byte| is_baggage_octet(byte) || byte == b','), "nothing leaks raw: {}", wire);
        }

        #[test]
        fn what_was_read_reads_the_same_after_another_hop(value in "[a-c=;,% \t\"\\\\0-9A-F\u{e9}]{0,80}") {
            let (baggage, _) = read(&value);
            prop_assert_eq!(read(&baggage.to_header()), (baggage, 0));
        }

        #[test]
        fn no_bytes_make_it_panic_or_write_what_may_not_stand_in_a_header(
            value in prop::collection::vec(any::<u8>(), 0..200),
        ) {
            let (baggage, _) = Baggage::parse(&value);
            let wire = baggage.to_header();
            prop_assert!(wire.bytes().all(|byte| is_baggage_octet(byte) || matches!(byte, b',' | b';')));
            prop_assert_eq!(read(&wire), (baggage, 0));
        }
    }
}
