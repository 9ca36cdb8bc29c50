//! What a statement returns.

use sqlx::{Error, Row as _, postgres::PgRow, sqlite::SqliteRow};

/// A row; its columns are numbered from 0.
pub(in crate::services) enum Row {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

impl Row {
    /// The number in this column.
    pub(in crate::services) fn integer(&self, column: usize) -> Result<i64, Error> {
        match self {
            Self::Sqlite(row) => row.try_get(column),
            Self::Postgres(row) => row.try_get(column),
        }
    }

    /// The text in this column.
    pub(in crate::services) fn text(&self, column: usize) -> Result<String, Error> {
        match self {
            Self::Sqlite(row) => row.try_get(column),
            Self::Postgres(row) => row.try_get(column),
        }
    }
}
