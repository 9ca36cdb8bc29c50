//! A statement in the words that both databases know: `$1` is the first argument.

use sqlx::{AssertSqlSafe, Database, Encode, SqlSafeStr, SqlStr, Type, query::Query};

/// A statement and its arguments.
#[derive(Debug)]
pub(in crate::services) struct Statement {
    text: SqlStr,
    arguments: Vec<Argument>,
}

#[derive(Debug)]
enum Argument {
    Integer(i64),
    Text(Option<String>),
}

/// A statement.
pub(in crate::services) fn sql(text: &'static str) -> Statement {
    Statement { text: text.into_sql_str(), arguments: Vec::new() }
}

/// A statement that was put together: of texts of the program and of place holders, never of values.
pub(in crate::services) fn sql_of(text: String) -> Statement {
    Statement { text: AssertSqlSafe(text).into_sql_str(), arguments: Vec::new() }
}

impl Statement {
    /// The next argument, a number.
    pub(in crate::services) fn integer(mut self, value: impl Into<i64>) -> Self {
        self.arguments.push(Argument::Integer(value.into()));
        self
    }

    /// The next argument, a text.
    pub(in crate::services) fn text(mut self, value: &str) -> Self {
        self.arguments.push(Argument::Text(Some(value.to_owned())));
        self
    }

    /// The next argument, a text or NULL.
    pub(in crate::services) fn optional_text(mut self, value: Option<&str>) -> Self {
        self.arguments.push(Argument::Text(value.map(str::to_owned)));
        self
    }

    /// As sqlx has it.
    pub(super) fn query<DB>(self) -> Query<'static, DB, DB::Arguments>
    where
        DB: Database,
        i64: Encode<'static, DB> + Type<DB>,
        Option<String>: Encode<'static, DB> + Type<DB>,
    {
        self.arguments.into_iter().fold(sqlx::query(self.text), |query, argument| match argument {
            Argument::Integer(integer) => query.bind(integer),
            Argument::Text(text) => query.bind(text),
        })
    }
}
