//! The `tracestate` header.

use std::{fmt, sync::Arc};

use crate::traceparent::trim;

/// The most members that a list may have (W3C Trace Context Level 2, section 3.3.1.1).
pub const TRACESTATE_MEMBERS_MAX: usize = 32;
/// The longest list that is passed on, in bytes; the specification asks for at least 512.
pub const TRACESTATE_LEN_MAX: usize = 8_192;
/// Members longer than this go first when a list has to be cut (section 3.3.1.5).
const MEMBER_LEN_LARGE: usize = 128;

/// Why a `tracestate`, or a member for one, was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TracestateError {
    /// More than 32 members.
    Members,
    /// A member without `=`.
    Equals,
    /// A key outside the grammar.
    Key,
    /// A value outside the grammar.
    Value,
}

impl fmt::Display for TracestateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Members => "more than 32 members",
            Self::Equals => "a member without an equals sign",
            Self::Key => "bad key",
            Self::Value => "bad value",
        })
    }
}

impl std::error::Error for TracestateError {}

/// What tracing systems along the way want to know again: a list of keys and values, the latest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tracestate(Option<Arc<str>>);

impl Tracestate {
    pub(crate) const EMPTY: Self = Self(None);

    /// Reads a list; several headers have to be joined with commas first. One bad member refuses the whole list.
    ///
    /// # Errors
    /// Says which rule of the grammar the list breaks.
    pub fn parse(list: &[u8]) -> Result<Self, TracestateError> {
        let mut members = Vec::new();
        for member in list.split(|byte| *byte == b',').map(trim).filter(|member| !member.is_empty()) {
            if members.len() == TRACESTATE_MEMBERS_MAX {
                return Err(TracestateError::Members);
            }
            members.push(check(member)?);
        }
        Ok(Self::of(&members))
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

    /// The value of a key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&str> {
        self.members().find_map(|member| member.split_once('=').filter(|(own, _)| *own == key)).map(|(_, value)| value)
    }

    /// The same with this member left-most, in place of one with the same key; a 33rd drops the right-most.
    ///
    /// # Errors
    /// Says which rule of the grammar key or value breaks.
    pub fn insert(&self, key: &str, value: &str) -> Result<Self, TracestateError> {
        let added = format!("{key}={value}");
        if key.contains('=') {
            return Err(TracestateError::Key);
        }
        let mut members = vec![check(added.as_bytes())?];
        members.extend(self.members().filter(|member| member.split_once('=').is_none_or(|(own, _)| own != key)));
        members.truncate(TRACESTATE_MEMBERS_MAX);
        Ok(Self::of(&members))
    }

    fn members(&self) -> impl Iterator<Item = &str> {
        self.as_str().split(',').filter(|member| !member.is_empty())
    }

    fn of(members: &[&str]) -> Self {
        let mut members = members.to_vec();
        shorten(&mut members);
        if members.is_empty() { Self(None) } else { Self(Some(members.join(",").into())) }
    }
}

/// Drops whole members until the list is short enough: large ones first, then from the right.
fn shorten(members: &mut Vec<&str>) {
    let len = |members: &[&str]| members.iter().map(|member| member.len() + 1).sum::<usize>().saturating_sub(1);
    while len(members) > TRACESTATE_LEN_MAX {
        let large = members.iter().rposition(|member| member.len() > MEMBER_LEN_LARGE);
        members.remove(large.unwrap_or(members.len() - 1));
    }
}

fn check(member: &[u8]) -> Result<&str, TracestateError> {
    use TracestateError as E;
    let equals = member.iter().position(|byte| *byte == b'=').ok_or(E::Equals)?;
    let (key, value) = (member.get(..equals).unwrap_or_default(), member.get(equals + 1..).unwrap_or_default());
    let key_starts = matches!(key.first(), Some(b'a'..=b'z' | b'0'..=b'9'));
    let key_char = |byte: &u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-' | b'*' | b'/' | b'@');
    if !key_starts || key.len() > 256 || !key.iter().all(key_char) {
        return Err(E::Key);
    }
    let value_char = |byte: &u8| matches!(byte, 0x20..=0x7e) && !matches!(byte, b',' | b'=');
    let ends_well = value.last().is_some_and(|byte| *byte != b' ');
    if !ends_well || value.len() > 256 || !value.iter().all(value_char) {
        return Err(E::Value);
    }
    std::str::from_utf8(member).map_err(|_| E::Value)
}
