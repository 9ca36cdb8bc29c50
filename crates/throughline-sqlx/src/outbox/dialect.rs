//! What databases say differently.

use std::sync::Arc;

use futures_util::future::BoxFuture;

/// A database that an outbox and an inbox can live in: SQLite, PostgreSQL, MySQL and MariaDB, each behind its feature.
///
/// Sealed: it is there to be named in bounds.
pub trait Dialect: sqlx::Database + sealed::Statements {}

pub(crate) mod sealed {
    use super::{Arc, Argument, BoxFuture, Words};

    /// The one place that knows the drivers: everything above it is written once for all of them.
    #[expect(unnameable_types, reason = "what cannot be named cannot be implemented elsewhere")]
    pub trait Statements: sqlx::Database {
        const WORDS: Words;

        /// Runs a statement and says how many rows it has changed or found.
        fn execute<'a>(
            connection: &'a mut Self::Connection,
            sql: &Arc<str>,
            arguments: &[Argument<'_>],
        ) -> BoxFuture<'a, Result<u64, sqlx::Error>>;

        fn fetch<'a>(
            connection: &'a mut Self::Connection,
            sql: &Arc<str>,
            arguments: &[Argument<'_>],
        ) -> BoxFuture<'a, Result<Vec<Self::Row>, sqlx::Error>>;

        /// The bytes of a text or binary column; nothing where it is NULL or of another type.
        fn bytes(row: &Self::Row, column: usize) -> Option<Vec<u8>>;

        /// The value of an integer column; nothing where it is NULL or of another type.
        fn integer(row: &Self::Row, column: usize) -> Option<i64>;
    }
}

/// A value for a place holder. There are no others, so that no bound on types is ever needed.
#[derive(Clone, Copy, Debug)]
#[expect(unnameable_types, reason = "part of a sealed trait")]
pub enum Argument<'a> {
    Text(Option<&'a str>),
    Bytes(&'a [u8]),
    Integer(i64),
}

/// The words of one database for what the statements have in braces.
#[derive(Clone, Copy, Debug)]
#[expect(unnameable_types, reason = "part of a sealed trait")]
pub struct Words {
    /// How place holders are written: all the same, or numbered.
    pub(crate) numbered: bool,
    /// The column that counts the rows.
    pub(crate) position: &'static str,
    pub(crate) integer: &'static str,
    pub(crate) bytes: &'static str,
    /// Text of any length.
    pub(crate) text: &'static str,
    /// Text that is compared byte by byte, and can be part of an index: never without regard to case, which would make
    /// two ids one.
    pub(crate) key: &'static str,
    /// Milliseconds since the Unix epoch by the database's clock, the one clock that all processes share.
    pub(crate) now: &'static str,
    /// Makes a named subquery run once, where it would not do so anyway.
    pub(crate) materialized: &'static str,
    pub(crate) insert_if_absent: (&'static str, &'static str),
    /// Whether DELETE knows LIMIT; where it doesn't, a subquery says which rows.
    pub(crate) delete_has_limit: bool,
    /// Whether an index can be made by a statement of its own that does nothing where it exists.
    pub(crate) index_if_absent: bool,
}

impl Words {
    /// A statement in the words of this database: `?` for each value, `{…}` for what differs.
    pub(crate) fn statement(&self, template: &str, table: &str) -> Arc<str> {
        let (insert, absent) = self.insert_if_absent;
        let text = template
            .replace("{table}", table)
            .replace("{position}", self.position)
            .replace("{integer}", self.integer)
            .replace("{bytes}", self.bytes)
            .replace("{text}", self.text)
            .replace("{key}", self.key)
            .replace("{now}", self.now)
            .replace("{materialized}", self.materialized)
            .replace("{insert_if_absent}", insert)
            .replace("{unless_there}", absent);
        if self.numbered { numbered(&text).into() } else { text.into() }
    }
}

fn numbered(text: &str) -> String {
    let mut parts = text.split('?');
    let mut result = parts.next().unwrap_or_default().to_owned();
    for (place, part) in parts.enumerate() {
        result.push('$');
        result.push_str(&(place + 1).to_string());
        result.push_str(part);
    }
    result
}

#[cfg(any(feature = "mysql", feature = "postgres", feature = "sqlite"))]
macro_rules! dialect {
    ($database:ty, $words:expr) => {
        impl Dialect for $database {}

        impl sealed::Statements for $database {
            const WORDS: Words = $words;

            fn execute<'a>(
                connection: &'a mut Self::Connection,
                sql: &Arc<str>,
                arguments: &[Argument<'_>],
            ) -> BoxFuture<'a, Result<u64, sqlx::Error>> {
                let query = with_arguments!(Self, sql, arguments);
                Box::pin(async move { Ok(query.execute(connection).await?.rows_affected()) })
            }

            fn fetch<'a>(
                connection: &'a mut Self::Connection,
                sql: &Arc<str>,
                arguments: &[Argument<'_>],
            ) -> BoxFuture<'a, Result<Vec<Self::Row>, sqlx::Error>> {
                let query = with_arguments!(Self, sql, arguments);
                Box::pin(query.fetch_all(connection))
            }

            fn bytes(row: &Self::Row, column: usize) -> Option<Vec<u8>> {
                sqlx::Row::try_get_unchecked::<Option<Vec<u8>>, _>(row, column).ok().flatten()
            }

            fn integer(row: &Self::Row, column: usize) -> Option<i64> {
                sqlx::Row::try_get_unchecked::<Option<i64>, _>(row, column).ok().flatten()
            }
        }
    };
}

/// The text is ours, and the name of the table in it was checked.
#[cfg(any(feature = "mysql", feature = "postgres", feature = "sqlite"))]
macro_rules! with_arguments {
    ($database:ty, $sql:expr, $arguments:expr) => {{
        let mut query = sqlx::query::<$database>(sqlx::AssertSqlSafe(Arc::clone($sql)));
        for argument in $arguments {
            query = match *argument {
                Argument::Text(text) => query.bind(text),
                Argument::Bytes(bytes) => query.bind(bytes),
                Argument::Integer(integer) => query.bind(integer),
            };
        }
        query
    }};
}

#[cfg(feature = "sqlite")]
dialect!(
    sqlx::Sqlite,
    Words {
        numbered: false,
        position: "INTEGER PRIMARY KEY AUTOINCREMENT",
        integer: "INTEGER",
        bytes: "BLOB",
        text: "TEXT",
        key: "TEXT",
        now: "CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER)",
        materialized: "MATERIALIZED",
        insert_if_absent: ("INSERT", "ON CONFLICT DO NOTHING"),
        delete_has_limit: false,
        index_if_absent: true,
    }
);

#[cfg(feature = "postgres")]
dialect!(
    sqlx::Postgres,
    Words {
        numbered: true,
        position: "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
        integer: "BIGINT",
        bytes: "BYTEA",
        text: "TEXT",
        key: "TEXT COLLATE \"C\"",
        now: "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)",
        materialized: "MATERIALIZED",
        insert_if_absent: ("INSERT", "ON CONFLICT DO NOTHING"),
        delete_has_limit: false,
        index_if_absent: true,
    }
);

#[cfg(feature = "mysql")]
dialect!(
    sqlx::MySql,
    Words {
        numbered: false,
        position: "BIGINT AUTO_INCREMENT PRIMARY KEY",
        integer: "BIGINT",
        bytes: "LONGBLOB",
        text: "TEXT CHARACTER SET utf8mb4",
        key: "VARBINARY(255)",
        now: "TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(3)) DIV 1000",
        materialized: "", // this clock stands still for a whole statement
        // IGNORE would let through what is too long as well: every length is checked before.
        insert_if_absent: ("INSERT IGNORE", ""),
        delete_has_limit: true,
        index_if_absent: false,
    }
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn place_holders_are_numbered_in_order() {
        assert_eq!(numbered("a = ? AND b = ? LIMIT ?"), "a = $1 AND b = $2 LIMIT $3");
        assert_eq!(numbered("nothing"), "nothing");
    }
}
