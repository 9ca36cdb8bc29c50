//! The `tracestate` header of W3C Trace Context Level 2: what tracing systems along the way have added.

use std::{error, fmt, sync::Arc};

use crate::octets;

/// The members a list may have (Level 2, section 3.3.1.1).
pub const TRACESTATE_MEMBERS_MAX: usize = 32;

/// The longest key and the longest value (Level 2, sections 3.3.1.3.1 and 3.3.1.3.2).
pub const TRACESTATE_PART_LEN_MAX: usize = 256;

/// The length up to which a list is passed on whole.
///
/// The standard asks for 512 at least; this is what common servers allow a header line. Above it members go, whole: first
/// those longer than [`TRACESTATE_LONG_MEMBER`], then from the right.
pub const TRACESTATE_LEN_MAX: usize = 8192;

/// A member above this length is the first to go when a list is too long (Level 2, section 3.3.1.5).
pub const TRACESTATE_LONG_MEMBER: usize = 128;

/// The bytes that are read before a list is refused unread.
///
/// Our own limit: twice the longest list that the grammar allows without white space (32 members of 513 characters and
/// their commas), so that only padding can exceed it.
pub const TRACESTATE_READ_BYTES_MAX: usize = 32 * 1024;

/// The vendor state of a trace, in the form in which it is passed on. Cheap to clone.
///
/// White space around members and empty members are gone; everything else, duplicates included, is as it was received.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tracestate(Option<Arc<str>>);

/// Why a `tracestate` was refused. The list is then dropped whole; the `traceparent` beside it stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TracestateError {
    /// A member without `=`, or a key that the grammar does not allow.
    Key,
    /// An empty value, or one that the grammar does not allow.
    Value,
    /// More than [`TRACESTATE_MEMBERS_MAX`] members.
    TooManyMembers,
    /// More than [`TRACESTATE_READ_BYTES_MAX`] bytes.
    TooLong,
}

impl Tracestate {
    pub(crate) const EMPTY: Self = Self(None);

    /// Reads the value of a header, or of several that were joined with `,`.
    ///
    /// # Errors
    ///
    /// The first rule that the list breaks.
    pub fn parse(value: &[u8]) -> Result<Self, TracestateError> {
        let mut reader = Reader::default();
        reader.read(value);
        reader.finish()
    }

    /// Whether there is nothing to pass on.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// The list as it goes onto the wire.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_deref().unwrap_or_default()
    }

    /// The value of the left-most member called `key`: the latest one, if there are several.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&str> {
        members(self.as_str())
            .find(|member| key_of(member) == key)
            .and_then(|member| member.split_once('='))
            .map(|(_, value)| value)
    }

    /// The same list with `key` set to `value` in the left-most place.
    ///
    /// The other members keep their order. If that makes 33 of them, the right-most goes.
    ///
    /// # Errors
    ///
    /// If the grammar does not allow the key or the value.
    pub fn insert(&self, key: &str, value: &str) -> Result<Self, TracestateError> {
        check(key.as_bytes(), value.as_bytes())?;
        let others =
            members(self.as_str()).filter(|member| key_of(member) != key).take(TRACESTATE_MEMBERS_MAX - 1);
        let mut list = format!("{key}={value}");
        for member in others {
            list.push(',');
            list.push_str(member);
        }
        Ok(Self::within_length(list))
    }

    fn within_length(mut list: String) -> Self {
        if list.len() > TRACESTATE_LEN_MAX {
            list = shortened(&list);
        }
        Self((!list.is_empty()).then(|| list.into()))
    }
}

fn members(list: &str) -> impl DoubleEndedIterator<Item = &str> {
    list.split(',').filter(|member| !member.is_empty())
}

fn key_of(member: &str) -> &str {
    member.split_once('=').map_or(member, |(key, _)| key)
}

/// Drops whole members, long ones first and each time from the right, until the list fits.
fn shortened(list: &str) -> String {
    let mut kept: Vec<&str> = members(list).collect();
    let mut excess = list.len().saturating_sub(TRACESTATE_LEN_MAX);
    for only_above in [TRACESTATE_LONG_MEMBER, 0] {
        for place in (0..kept.len()).rev() {
            let len = kept.get(place).map_or(0, |member| member.len());
            if excess > 0 && len > only_above {
                kept.remove(place);
                excess = excess.saturating_sub(len + ",".len());
            }
        }
    }
    kept.join(",")
}

/// Reads a list that may come in several headers: each of them continues the one before.
#[derive(Debug, Default)]
pub(crate) struct Reader {
    list: String,
    members: usize,
    bytes_read: usize,
    error: Option<TracestateError>,
}

impl Reader {
    /// Reads one more header. After an error the rest is not looked at.
    pub(crate) fn read(&mut self, value: &[u8]) {
        if self.error.is_none() {
            self.error = self.try_read(value).err();
        }
    }

    /// The list, if every header of it was valid.
    pub(crate) fn finish(self) -> Result<Tracestate, TracestateError> {
        self.error.map_or_else(|| Ok(Tracestate::within_length(self.list)), Err)
    }

    fn try_read(&mut self, value: &[u8]) -> Result<(), TracestateError> {
        self.bytes_read = self.bytes_read.saturating_add(value.len());
        if self.bytes_read > TRACESTATE_READ_BYTES_MAX {
            return Err(TracestateError::TooLong);
        }
        value
            .split(|byte| *byte == b',')
            .map(octets::trim)
            .filter(|member| !member.is_empty())
            .try_for_each(|member| self.push(member))
    }

    fn push(&mut self, member: &[u8]) -> Result<(), TracestateError> {
        let equals = member.iter().position(|byte| *byte == b'=').ok_or(TracestateError::Key)?;
        let (key, value) = member.split_at(equals);
        check(key, value.get(1..).unwrap_or_default())?;
        self.members += 1;
        if self.members > TRACESTATE_MEMBERS_MAX {
            return Err(TracestateError::TooManyMembers);
        }
        if !self.list.is_empty() {
            self.list.push(',');
        }
        self.list.push_str(str::from_utf8(member).map_err(|_| TracestateError::Value)?);
        Ok(())
    }
}

fn check(key: &[u8], value: &[u8]) -> Result<(), TracestateError> {
    if !is_key(key) {
        return Err(TracestateError::Key);
    }
    if !is_value(value) {
        return Err(TracestateError::Value);
    }
    Ok(())
}

fn is_key(key: &[u8]) -> bool {
    let starts_well = matches!(key, [b'a'..=b'z' | b'0'..=b'9', ..]);
    starts_well
        && key.len() <= TRACESTATE_PART_LEN_MAX
        && key.iter().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-' | b'*' | b'/' | b'@'))
}

fn is_value(value: &[u8]) -> bool {
    let ends_well = value.last().is_some_and(|last| *last != b' ');
    ends_well
        && value.len() <= TRACESTATE_PART_LEN_MAX
        && value.iter().all(|byte| matches!(byte, b' '..=b'~') && !matches!(byte, b',' | b'='))
}

impl fmt::Display for TracestateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key => f.write_str("tracestate has an invalid key"),
            Self::Value => f.write_str("tracestate has an invalid value"),
            Self::TooManyMembers => write!(f, "tracestate has more than {TRACESTATE_MEMBERS_MAX} members"),
            Self::TooLong => write!(f, "tracestate has more than {TRACESTATE_READ_BYTES_MAX} bytes"),
        }
    }
}

impl error::Error for TracestateError {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn passed_on(value: &str) -> Result<String, TracestateError> {
        Tracestate::parse(value.as_bytes()).map(|state| state.as_str().to_owned())
    }

    fn numbered(count: usize) -> String {
        (0..count).map(|number| format!("k{number}=v")).collect::<Vec<_>>().join(",")
    }

    #[test]
    fn what_is_accepted_and_how_it_is_passed_on() {
        let longest = format!("{}={}", "k".repeat(256), "v".repeat(256));
        for (read, written) in [
            ("", ""),
            (" \t ", ""),
            (",, ,\t,", ""),
            ("foo=1", "foo=1"),
            ("foo=1,bar=2", "foo=1,bar=2"),
            ("foo=1 \t , \t bar=2, \t baz=3", "foo=1,bar=2,baz=3"),
            (",foo=1,,\t ,bar=2,", "foo=1,bar=2"),
            // Leading spaces belong to a value, trailing ones do not.
            ("foo=  1 ", "foo=  1"),
            ("foo=1 2", "foo=1 2"),
            // Level 2 keys: `@` anywhere but first, a digit first.
            ("0foo=1", "0foo=1"),
            ("tenant@system@more=1", "tenant@system@more=1"),
            ("a_-*/@0=1", "a_-*/@0=1"),
            // Every character of a value.
            ("k=!\"#$%&'()*+-./09:;<>?@AZ[\\]^_`az{|}~", "k=!\"#$%&'()*+-./09:;<>?@AZ[\\]^_`az{|}~"),
            // Duplicates are kept.
            ("foo=1,foo=1", "foo=1,foo=1"),
            ("foo=1,bar=2,foo=3", "foo=1,bar=2,foo=3"),
            (&longest, &longest),
            (&numbered(32), &numbered(32)),
        ] {
            assert_eq!(passed_on(read).as_deref(), Ok(written), "{read:?}");
        }
    }

    #[test]
    fn what_is_refused_and_why() {
        use TracestateError::{Key, TooLong, TooManyMembers, Value};
        for (value, why) in [
            ("foo", Key),
            ("=1", Key),
            ("foo =1", Key),
            ("FOO=1", Key),
            ("foO=1", Key),
            ("@foo=1", Key),
            ("_foo=1", Key),
            ("foo.bar=1", Key),
            ("f\u{e9}o=1", Key),
            ("foo=1,bar", Key),
            (&format!("{}=1", "k".repeat(257)), Key),
            ("foo=", Value),
            ("foo= ", Value),
            ("foo=bar=baz", Value),
            ("foo=\t1", Value),
            ("foo=1\t2", Value),
            ("foo=\u{7f}", Value),
            ("foo=\0", Value),
            ("foo=caf\u{e9}", Value),
            ("foo=1,bar=", Value),
            (&format!("k={}", "v".repeat(257)), Value),
            (&numbered(33), TooManyMembers),
            (&" ".repeat(TRACESTATE_READ_BYTES_MAX + 1), TooLong),
            (&"k=v,".repeat(1 << 18), TooLong),
        ] {
            assert_eq!(passed_on(value), Err(why), "{:?}", &value[..value.len().min(40)]);
        }
    }

    #[test]
    fn several_headers_are_one_list() {
        let mut reader = Reader::default();
        for value in ["foo=1,", "", " bar=2 ", "foo=3"] {
            reader.read(value.as_bytes());
        }
        assert_eq!(reader.finish().unwrap().as_str(), "foo=1,bar=2,foo=3");

        let mut reader = Reader::default();
        reader.read(numbered(32).as_bytes());
        reader.read(b"one=more");
        assert_eq!(reader.finish(), Err(TracestateError::TooManyMembers));

        let mut reader = Reader::default();
        reader.read(b"good=1");
        reader.read(b"bad");
        reader.read(b"good=2");
        assert_eq!(reader.finish(), Err(TracestateError::Key));
    }

    #[test]
    fn a_changed_key_goes_left_most_and_the_others_keep_their_order() {
        let state = Tracestate::parse(b"foo=1,bar=2,foo=3,baz=4").unwrap();
        assert_eq!(state.get("foo"), Some("1"));
        assert_eq!(state.get("fo"), None);
        let changed = state.insert("bar", "new").unwrap();
        assert_eq!(changed.as_str(), "bar=new,foo=1,foo=3,baz=4");
        assert_eq!(changed.insert("foo", "5").unwrap().as_str(), "foo=5,bar=new,baz=4");
        assert_eq!(Tracestate::default().insert("ot", "th:c").unwrap().as_str(), "ot=th:c");
        assert_eq!(state.insert("Bad", "1"), Err(TracestateError::Key));
        assert_eq!(state.insert("good", ""), Err(TracestateError::Value));
    }

    #[test]
    fn an_addition_that_makes_33_members_drops_the_right_most() {
        let full = Tracestate::parse(numbered(32).as_bytes()).unwrap();
        let added = full.insert("new", "1").unwrap();
        assert_eq!(added.as_str(), format!("new=1,{}", numbered(31)));
        let replaced = full.insert("k31", "1").unwrap();
        assert_eq!(replaced.as_str(), format!("k31=1,{}", numbered(31)));
    }

    #[test]
    fn a_list_that_is_too_long_loses_long_members_first_then_from_the_right() {
        let long = |name: &str| format!("{name}={}", "v".repeat(256));
        let short = |name: &str| format!("{name}={}", "v".repeat(125)); // 128 characters with a two-letter name
        let list: Vec<String> = (10..42)
            .map(|number| {
                if number % 2 == 0 {
                    long(&format!("{number}{}", "x".repeat(200)))
                } else {
                    short(&number.to_string())
                }
            })
            .collect();
        let state = Tracestate::parse(list.join(",").as_bytes()).unwrap();
        let mut expected = list;
        while expected.join(",").len() > TRACESTATE_LEN_MAX {
            let place = expected.iter().rposition(|member| member.len() > TRACESTATE_LONG_MEMBER).unwrap();
            expected.remove(place);
        }
        assert_eq!(state.as_str(), expected.join(","));
        assert!(expected.len() < 32 && expected.contains(&short("41")));
    }

    #[test]
    fn a_list_up_to_the_limit_is_passed_on_whole() {
        // 31 members of 255 characters, and one that makes the list exactly as long as the limit.
        let mut list =
            (10..41).map(|number| format!("{number}={}", "v".repeat(252))).collect::<Vec<_>>().join(",");
        list.push_str(",last=");
        list.push_str(&"v".repeat(TRACESTATE_LEN_MAX - list.len()));
        assert_eq!(passed_on(&list).as_deref(), Ok(&*list));
        list.push('v');
        assert!(passed_on(&list).unwrap().len() < TRACESTATE_LEN_MAX);
    }

    proptest! {
        #[test]
        fn what_is_passed_on_reads_the_same(
            members in prop::collection::vec(("[a-z0-9][a-z0-9_*/@-]{0,20}", "[ -+.-<>-~]{0,20}[!-+.-<>-~]"), 0..32),
        ) {
            let list = members.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(" , ");
            let state = Tracestate::parse(list.as_bytes()).unwrap();
            prop_assert_eq!(Tracestate::parse(state.as_str().as_bytes()), Ok(state.clone()));
            for (key, _) in &members {
                let first = members.iter().find(|(other, _)| other == key).map(|(_, value)| value.as_str());
                prop_assert_eq!(state.get(key), first);
            }
        }

        #[test]
        fn no_bytes_make_it_panic(value in prop::collection::vec(any::<u8>(), 0..100)) {
            let _either = Tracestate::parse(&value);
        }

        #[test]
        fn no_likely_text_makes_it_panic_or_write_what_it_would_not_read(value in "[a-c@=, \t!\u{e9}]{0,40}") {
            if let Ok(state) = Tracestate::parse(value.as_bytes()) {
                prop_assert_eq!(Tracestate::parse(state.as_str().as_bytes()), Ok(state));
            }
        }
    }
}
