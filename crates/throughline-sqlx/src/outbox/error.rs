//! Why the outbox or the inbox did not do what it was asked.

use std::{error, fmt};

/// What went wrong with an outbox or an inbox.
#[derive(Debug)]
#[non_exhaustive]
pub enum OutboxError {
    /// The name of a table isn't one: it has to be 1 to 40 ASCII letters, digits and underscores, and not begin with a
    /// digit.
    TableName(String),
    /// A setting of a relay contradicts another one, or is zero.
    Setting(&'static str),
    /// A topic, key, consumer or message id is empty or longer than [`KEY_BYTES_MAX`](super::KEY_BYTES_MAX), or has a
    /// NUL in it, which some databases can't store.
    Key(&'static str),
    /// The payload is longer than the outbox takes.
    PayloadTooLarge {
        /// How many bytes it has.
        bytes: usize,
        /// How many it may have.
        bytes_max: usize,
    },
    /// The database refused, or couldn't be reached.
    Database(sqlx::Error),
}

impl OutboxError {
    /// Few, and for machines: the value of `error.type`.
    pub(crate) const fn kind(&self) -> &'static str {
        match self {
            Self::TableName(_) => "table_name",
            Self::Setting(_) => "setting",
            Self::Key(_) => "key",
            Self::PayloadTooLarge { .. } => "payload_too_large",
            Self::Database(_) => "database",
        }
    }
}

impl fmt::Display for OutboxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TableName(name) => write!(f, "{name:?} cannot be the name of a table"),
            Self::Setting(problem) => f.write_str(problem),
            Self::Key(what) => write!(f, "the {what} is empty, longer than 255 bytes, or has a NUL in it"),
            Self::PayloadTooLarge { bytes, bytes_max } => {
                write!(f, "the payload has {bytes} bytes, and may have {bytes_max}")
            }
            Self::Database(_) => f.write_str("the database refused the statement, or is away"),
        }
    }
}

impl error::Error for OutboxError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::Database(error) => Some(error),
            Self::TableName(_) | Self::Setting(_) | Self::Key(_) | Self::PayloadTooLarge { .. } => None,
        }
    }
}

impl From<sqlx::Error> for OutboxError {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error)
    }
}

/// Text that every database can store, compare and index.
pub(crate) fn check_key(what: &'static str, text: &str) -> Result<(), OutboxError> {
    let fits = !text.is_empty() && text.len() <= super::KEY_BYTES_MAX && !text.contains('\0');
    if fits { Ok(()) } else { Err(OutboxError::Key(what)) }
}

/// A name that is safe inside a statement, with room for what is added to it.
pub(crate) fn check_table(name: &str) -> Result<(), OutboxError> {
    let word = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let begins = name.bytes().next().is_some_and(|byte| !byte.is_ascii_digit());
    if word && begins && name.len() <= 40 { Ok(()) } else { Err(OutboxError::TableName(name.to_owned())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_has_a_plain_name() {
        for good in ["outbox", "_o2", "OUTBOX_orders"] {
            assert!(check_table(good).is_ok(), "{good}");
        }
        for bad in ["", "2outbox", "a b", "a;DROP TABLE x", "a\"b", "é", &"x".repeat(41)] {
            assert!(check_table(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_key_fits_into_an_index() {
        assert!(check_key("key", &"x".repeat(255)).is_ok());
        for bad in ["", "a\0b", &"x".repeat(256)] {
            assert!(check_key("key", bad).is_err(), "{bad:?}");
        }
    }
}
