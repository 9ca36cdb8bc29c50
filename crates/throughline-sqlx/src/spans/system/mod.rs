//! What is different from one database to the next.

#[cfg(feature = "mysql")]
mod mysql;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "sqlite")]
mod sqlite;

use futures_util::{future::BoxFuture, stream::BoxStream};
use sqlx::{Connection, Database, Describe, Either, Error, Execute, SqlStr, error::DatabaseError};
use tracing::Span;

use super::place::Place;

/// What a statement answers with: a result for each statement of the text, and its rows before it.
pub(crate) type Step<DB> = Either<<DB as Database>::QueryResult, <DB as Database>::Row>;
/// The answers of a statement, as they come.
pub(crate) type Steps<'e, DB> = BoxStream<'e, Result<Step<DB>, Error>>;

/// The options that a connection of this database is made with.
pub(crate) type Options<DB> = <<DB as Database>::Connection as Connection>::Options;

mod sealed {
    #[expect(unnameable_types, reason = "what cannot be named cannot be implemented elsewhere")]
    pub trait Sealed {}
}

/// A database whose statements can have spans.
///
/// Implemented for `Sqlite`, `Postgres` and `MySql` with the features `sqlite`, `postgres` and `mysql`, and for nothing
/// else: `Any` says neither which database it is nor how many rows a statement has changed.
///
/// | | `Sqlite` | `Postgres` | `MySql` |
/// |---|---|---|---|
/// | `db.system.name` | `sqlite` | `postgresql` | `mysql`, or as [`Settings::system`](crate::Settings::system) has it |
/// | `db.namespace` | the name of the file, without its folder | the database, without a schema | the database |
/// | `server.address` | – | host, or folder of the socket | host, or socket |
/// | `server.port` | – | unless 5432 | unless 3306 |
/// | `db.response.status_code` | the extended result code | SQLSTATE | the number of the error |
/// | kind of span | CLIENT; INTERNAL in memory | CLIENT | CLIENT |
///
/// What the driver logs, and spans of hooks like `after_connect`, are inside the span of the statement. With `Sqlite` they are
/// beside it, in the span that the statement's own is in: the driver hands the current span to a thread of its own, which would
/// hold it open until SQLite is done, also with a statement that was cancelled long ago.
///
/// Where a database is is what the connect options say when the pool is wrapped: a `USE` or a `SET search_path` later on isn't seen.
// Its methods are those of `Executor`. A bound on `&mut DB::Connection: Executor` in their place would send the compiler
// round in circles in generic programs, since a type of this crate is an executor behind a `&mut`, too.
pub trait System: Database + sealed::Sealed {
    #[doc(hidden)]
    fn place(options: &Options<Self>) -> Place;

    #[doc(hidden)]
    fn affected_rows(result: &Self::QueryResult) -> u64;

    #[doc(hidden)]
    fn status_code(error: &dyn DatabaseError) -> Option<String> {
        error.code().map(Into::into)
    }

    /// The span that the driver is polled in: that of the statement, or none in the place of it, which leaves the caller's.
    #[doc(hidden)]
    fn driver_span(of_statement: &Span) -> Span {
        of_statement.clone()
    }

    #[doc(hidden)]
    fn fetch_many<'e, 'q: 'e, E>(connection: &'e mut Self::Connection, query: E) -> Steps<'e, Self>
    where
        E: 'q + Execute<'q, Self>;

    #[doc(hidden)]
    fn fetch_optional<'e, 'q: 'e, E>(
        connection: &'e mut Self::Connection,
        query: E,
    ) -> BoxFuture<'e, Result<Option<Self::Row>, Error>>
    where
        E: 'q + Execute<'q, Self>;

    #[doc(hidden)]
    fn prepare_with<'e>(
        connection: &'e mut Self::Connection,
        sql: SqlStr,
        parameters: &'e [Self::TypeInfo],
    ) -> BoxFuture<'e, Result<Self::Statement, Error>>;

    #[doc(hidden)]
    fn describe(
        connection: &mut Self::Connection,
        sql: SqlStr,
    ) -> BoxFuture<'_, Result<Describe<Self>, Error>>;
}

/// The methods of [`System`] that hand on to the driver.
#[cfg(any(feature = "mysql", feature = "postgres", feature = "sqlite"))]
macro_rules! handed_on {
    () => {
        fn fetch_many<'e, 'q: 'e, E>(
            connection: &'e mut Self::Connection,
            query: E,
        ) -> $crate::spans::system::Steps<'e, Self>
        where
            E: 'q + sqlx::Execute<'q, Self>,
        {
            sqlx::Executor::fetch_many(connection, query)
        }

        fn fetch_optional<'e, 'q: 'e, E>(
            connection: &'e mut Self::Connection,
            query: E,
        ) -> futures_util::future::BoxFuture<'e, Result<Option<Self::Row>, sqlx::Error>>
        where
            E: 'q + sqlx::Execute<'q, Self>,
        {
            sqlx::Executor::fetch_optional(connection, query)
        }

        fn prepare_with<'e>(
            connection: &'e mut Self::Connection,
            sql: sqlx::SqlStr,
            parameters: &'e [Self::TypeInfo],
        ) -> futures_util::future::BoxFuture<'e, Result<Self::Statement, sqlx::Error>> {
            sqlx::Executor::prepare_with(connection, sql, parameters)
        }

        fn describe(
            connection: &mut Self::Connection,
            sql: sqlx::SqlStr,
        ) -> futures_util::future::BoxFuture<'_, Result<sqlx::Describe<Self>, sqlx::Error>> {
            sqlx::Executor::describe(connection, sql)
        }
    };
}
#[cfg(any(feature = "mysql", feature = "postgres", feature = "sqlite"))]
use handed_on;
