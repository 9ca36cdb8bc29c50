//! What sqlx executes statements on.

use futures_util::future::BoxFuture;
use sqlx::{Describe, Error, Execute, Executor, SqlStr};

use super::{
    Connection, Operation, Pool, run,
    system::{Steps, System},
};

// `execute`, `fetch`, `fetch_all` and `fetch_one` are made of these by sqlx: each is one statement with one span. What
// `fetch_one` adds, the error that there is no row, comes after the span.
impl<'c, DB: System> Executor<'c> for Operation<'c, DB> {
    type Database = DB;

    fn fetch_many<'e, 'q: 'e, E>(self, query: E) -> Steps<'e, DB>
    where
        'c: 'e,
        E: 'q + Execute<'q, DB>,
    {
        run::steps(self.source, self.settings, self.names, query)
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, Result<Option<DB::Row>, Error>>
    where
        'c: 'e,
        E: 'q + Execute<'q, DB>,
    {
        run::row(self.source, self.settings, self.names, query)
    }

    fn prepare_with<'e>(
        self,
        sql: SqlStr,
        parameters: &'e [DB::TypeInfo],
    ) -> BoxFuture<'e, Result<DB::Statement, Error>>
    where
        'c: 'e,
    {
        run::prepare(self.source, self.settings, sql, parameters)
    }

    fn describe<'e>(self, sql: SqlStr) -> BoxFuture<'e, Result<Describe<DB>, Error>>
    where
        'c: 'e,
    {
        run::describe(self.source, self.settings, sql)
    }
}

/// The methods of an executor, by way of an [`Operation`] without names.
macro_rules! unnamed {
    () => {
        type Database = DB;

        fn fetch_many<'e, 'q: 'e, E>(self, query: E) -> Steps<'e, DB>
        where
            'c: 'e,
            E: 'q + Execute<'q, DB>,
        {
            self.statement().fetch_many(query)
        }

        fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, Result<Option<DB::Row>, Error>>
        where
            'c: 'e,
            E: 'q + Execute<'q, DB>,
        {
            self.statement().fetch_optional(query)
        }

        fn prepare_with<'e>(
            self,
            sql: SqlStr,
            parameters: &'e [DB::TypeInfo],
        ) -> BoxFuture<'e, Result<DB::Statement, Error>>
        where
            'c: 'e,
        {
            self.statement().prepare_with(sql, parameters)
        }

        fn describe<'e>(self, sql: SqlStr) -> BoxFuture<'e, Result<Describe<DB>, Error>>
        where
            'c: 'e,
        {
            self.statement().describe(sql)
        }
    };
}

impl<'c, DB: System> Executor<'c> for &'_ Pool<DB> {
    unnamed!();
}

impl<'c, DB: System> Executor<'c> for &'c mut Connection<'_, DB> {
    unnamed!();
}
