//! Statements for a database, without what is in them, and in short.
//!
//! Whoever has bound parameters needs [`summary`] alone: such a text holds no values. Any other text goes through
//! [`sanitized`], which puts `?` in the place of every literal and leaves comments out.
//!
//! Both read the text byte by byte, once, without knowing which database it is for. Where databases differ, the reading
//! that hides more wins: a backslash before a quote may escape it or not, so either way nothing of a string is shown; a
//! text in double quotes is an identifier by the standard and a string for MySQL, so it is hidden where it can't be told.
//! What isn't ended, a string, a comment, is hidden to the end of the text.
//!
//! ```
//! use throughline_core::sql;
//! let statement = "SELECT * FROM users u WHERE u.mail = 'ann@example.com' AND pin = 4711";
//! assert_eq!(sql::sanitized(statement), "SELECT * FROM users u WHERE u.mail = ? AND pin = ?");
//! assert_eq!(sql::summary(statement), "SELECT users");
//! ```

mod role;
mod sanitized;
mod summary;
mod token;

pub use sanitized::{TEXT_BYTES_MAX, sanitized};
pub use summary::{SUMMARY_CHARS_MAX, summary};
