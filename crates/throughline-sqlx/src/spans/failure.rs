//! What may be said of an error.

use std::borrow::Cow;

use sqlx::{
    Error,
    error::{DatabaseError, ErrorKind},
};

use super::system::System;

/// A failure without what may be secret in it.
///
/// The message of a database is never shown: it may quote the values of a row, or the statement. What is: the code; which kind
/// of constraint was violated, and its name.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) status_code: Option<String>,
    pub(crate) description: String,
    of_client: Option<&'static str>,
}

impl Failure {
    /// `None` where the database has done what it was asked to: that there is no row is an answer.
    pub(crate) fn of<DB: System>(error: &Error) -> Option<Self> {
        match error {
            Error::RowNotFound => None,
            Error::Database(error) => Some(Self {
                status_code: DB::status_code(&**error),
                description: violation(&**error),
                of_client: None,
            }),
            Error::Io(io) => Some(Self::of_client("sqlx::Error::Io", io.kind().to_string())),
            other => Some(Self::of_client(variant(other), String::new())),
        }
    }

    /// The status code where the database has given one, else the variant of sqlx's error.
    pub(crate) fn error_type(&self) -> Cow<'_, str> {
        let of_client = self.of_client.unwrap_or("sqlx::Error::Database");
        self.status_code.as_deref().unwrap_or(of_client).into()
    }

    const fn of_client(error_type: &'static str, description: String) -> Self {
        Self { status_code: None, description, of_client: Some(error_type) }
    }
}

fn violation(error: &dyn DatabaseError) -> String {
    let kind = match error.kind() {
        ErrorKind::UniqueViolation => "unique violation",
        ErrorKind::ForeignKeyViolation => "foreign key violation",
        ErrorKind::NotNullViolation => "not null violation",
        ErrorKind::CheckViolation => "check violation",
        ErrorKind::ExclusionViolation => "exclusion violation",
        _ => return String::new(),
    };
    error.constraint().map_or_else(|| kind.to_owned(), |name| format!("{kind}: {name}"))
}

fn variant(error: &Error) -> &'static str {
    match error {
        Error::Configuration(_) => "sqlx::Error::Configuration",
        Error::InvalidArgument(_) => "sqlx::Error::InvalidArgument",
        Error::Tls(_) => "sqlx::Error::Tls",
        Error::Protocol(_) => "sqlx::Error::Protocol",
        Error::TypeNotFound { .. } => "sqlx::Error::TypeNotFound",
        Error::Encode(_) => "sqlx::Error::Encode",
        Error::Decode(_) | Error::ColumnDecode { .. } => "sqlx::Error::Decode",
        Error::PoolTimedOut => "sqlx::Error::PoolTimedOut",
        Error::PoolClosed => "sqlx::Error::PoolClosed",
        Error::WorkerCrashed => "sqlx::Error::WorkerCrashed",
        Error::InvalidSavePointStatement => "sqlx::Error::InvalidSavePointStatement",
        Error::BeginFailed => "sqlx::Error::BeginFailed",
        _ => "sqlx::Error",
    }
}
