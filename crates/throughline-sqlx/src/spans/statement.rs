//! A statement on its way to the driver.

use std::mem;

use sqlx::{
    Arguments, AssertSqlSafe, Database, Either, Execute, SqlSafeStr, SqlStr, Statement as _,
    error::BoxDynError,
};

/// What was to be executed, taken apart: sqlx tells the text of a query only to who consumes it.
pub(crate) enum Statement<DB: Database, E> {
    /// The driver has it already: its text is fixed.
    Prepared(E),
    Text(Text<DB>),
}

/// A text and its arguments.
pub(crate) struct Text<DB: Database> {
    sql: SqlStr,
    arguments: Result<Option<DB::Arguments>, BoxDynError>,
    caching: Caching,
}

/// Whether the driver keeps the statement prepared.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Caching {
    Cached,
    Once,
}

impl<DB: Database, E> Statement<DB, E> {
    pub(crate) fn of<'q>(mut query: E) -> Self
    where
        E: Execute<'q, DB>,
    {
        if query.statement().is_some() {
            return Self::Prepared(query);
        }
        let arguments = query.take_arguments();
        let caching = if query.persistent() { Caching::Cached } else { Caching::Once };
        Self::Text(Text { sql: query.sql(), arguments, caching })
    }

    pub(crate) fn text<'q>(&self) -> &str
    where
        E: Execute<'q, DB>,
    {
        match self {
            Self::Prepared(query) => query.statement().map_or("", |statement| statement.sql().as_str()),
            Self::Text(text) => text.sql.as_str(),
        }
    }

    /// Whether its values are bound and not in its text.
    pub(crate) fn is_parameterized<'q>(&self) -> bool
    where
        E: Execute<'q, DB>,
    {
        match self {
            // Prepared or not, a text without parameters has its values in it.
            Self::Prepared(query) => match query.statement().and_then(DB::Statement::parameters) {
                Some(Either::Left(types)) => !types.is_empty(),
                Some(Either::Right(count)) => count > 0,
                None => false,
            },
            Self::Text(text) => {
                text.arguments.as_ref().is_ok_and(|some| some.as_ref().is_some_and(|all| all.len() > 0))
            }
        }
    }

    /// The same with another text, which is not worth keeping.
    pub(crate) fn rewritten(self, rewrite: impl FnOnce(&str) -> Option<String>) -> Self {
        match self {
            Self::Prepared(_) => self,
            Self::Text(text) => match rewrite(text.sql.as_str()) {
                // The application's own text, and a comment that holds nothing but hex digits and dashes.
                Some(sql) => Self::Text(Text {
                    sql: AssertSqlSafe(sql).into_sql_str(),
                    caching: Caching::Once,
                    ..text
                }),
                None => Self::Text(text),
            },
        }
    }
}

impl<'q, DB: Database, E: Execute<'q, DB>> Execute<'q, DB> for Statement<DB, E> {
    fn sql(self) -> SqlStr {
        match self {
            Self::Prepared(query) => query.sql(),
            Self::Text(text) => text.sql,
        }
    }

    fn statement(&self) -> Option<&DB::Statement> {
        match self {
            Self::Prepared(query) => query.statement(),
            Self::Text(_) => None,
        }
    }

    fn take_arguments(&mut self) -> Result<Option<DB::Arguments>, BoxDynError> {
        match self {
            Self::Prepared(query) => query.take_arguments(),
            Self::Text(text) => mem::replace(&mut text.arguments, Ok(None)),
        }
    }

    fn persistent(&self) -> bool {
        match self {
            Self::Prepared(query) => query.persistent(),
            Self::Text(text) => text.caching == Caching::Cached,
        }
    }
}
