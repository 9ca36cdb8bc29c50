//! A connection whose statements have spans.

use std::{borrow::Cow, fmt};

use sqlx::{Error, SqlSafeStr, pool::PoolConnection};

use super::{
    operation::Operation,
    run::Source,
    settings::Settings,
    system::System,
    transaction::{self, Transaction},
};

/// A connection, or a transaction on one: `&mut` of it is an [`Executor`](sqlx::Executor).
///
/// What a [`Pool`](crate::Pool) gives away, and a [`Transaction`], are one behind a `&mut *`, as with sqlx. A function that
/// takes `&mut Connection<'_, DB>` can be given each of them. One for a plain connection is made with [`new`](Self::new):
///
/// ```
/// # #[cfg(feature = "sqlite")]
/// # async fn example() -> Result<(), sqlx::Error> {
/// use std::str::FromStr;
///
/// use sqlx::{ConnectOptions, sqlite::SqliteConnectOptions};
/// use throughline_sqlx::{Connection, Settings};
///
/// let options = SqliteConnectOptions::from_str("sqlite::memory:")?;
/// let mut plain = options.connect().await?;
/// let mut connection = Connection::new(&mut plain, &Settings::new(&options));
/// sqlx::query("SELECT 1").execute(&mut connection).await?;
/// # Ok(())
/// # }
/// ```
///
/// There is no way from here to the plain connection but [`inner_mut`](Self::inner_mut), for code that insists on one: what it
/// executes has no spans.
pub struct Connection<'c, DB: System> {
    pub(super) held: Held<'c, DB>,
    pub(super) settings: Settings,
}

pub(super) enum Held<'c, DB: System> {
    Pool(PoolConnection<DB>),
    Plain(&'c mut DB::Connection),
    Transaction(sqlx::Transaction<'c, DB>),
}

impl<'c, DB: System> Connection<'c, DB> {
    /// Makes spans of what is executed on a connection that no [`Pool`](crate::Pool) has given away.
    pub fn new<C>(connection: &'c mut C, settings: &Settings) -> Self
    where
        C: sqlx::Connection<Database = DB>,
        DB: System<Connection = C>,
    {
        Self { held: Held::Plain(connection), settings: settings.clone() }
    }

    /// Begins a transaction, or a savepoint inside one, with a span of its own.
    ///
    /// # Errors
    ///
    /// Those of the database.
    ///
    /// # Cancel safety
    ///
    /// Dropped while PostgreSQL or MySQL answers, it can leave a transaction open; see [`Pool::begin`](crate::Pool::begin).
    pub async fn begin(&mut self) -> Result<Transaction<'_, DB>, Error> {
        transaction::begin_inside(self.held.get(), &self.settings, None).await
    }

    /// The same with a statement in the place of `BEGIN`.
    ///
    /// # Errors
    ///
    /// Those of the database, and [`Error::InvalidSavePointStatement`] inside a transaction.
    pub async fn begin_with(&mut self, statement: impl SqlSafeStr) -> Result<Transaction<'_, DB>, Error> {
        let statement = Some(statement.into_sql_str());
        transaction::begin_inside(self.held.get(), &self.settings, statement).await
    }

    /// The plain connection, whose statements have no spans.
    pub fn inner_mut(&mut self) -> &mut DB::Connection {
        self.held.get()
    }

    /// Names the operation and the table of the next statement; see [`Pool::operation`](crate::Pool::operation).
    pub fn operation(
        &mut self,
        operation: impl Into<Cow<'static, str>>,
        collection: impl Into<Cow<'static, str>>,
    ) -> Operation<'_, DB> {
        self.statement().named(operation, collection)
    }

    pub(super) fn statement(&mut self) -> Operation<'_, DB> {
        let source = Source::Connection(self.held.get());
        Operation::unnamed(source, &self.settings)
    }
}

impl<DB: System> Held<'_, DB> {
    /// What is no transaction has nothing to commit.
    pub(super) async fn commit(self) -> Result<(), Error> {
        match self {
            Self::Transaction(transaction) => transaction.commit().await,
            Self::Pool(_) | Self::Plain(_) => Ok(()),
        }
    }

    /// Nor to roll back.
    pub(super) async fn rollback(self) -> Result<(), Error> {
        match self {
            Self::Transaction(transaction) => transaction.rollback().await,
            Self::Pool(_) | Self::Plain(_) => Ok(()),
        }
    }

    pub(super) fn get(&mut self) -> &mut DB::Connection {
        match self {
            Self::Pool(connection) => connection,
            Self::Plain(connection) => connection,
            Self::Transaction(transaction) => transaction,
        }
    }
}

impl<DB: System> fmt::Debug for Connection<'_, DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("settings", &self.settings).finish_non_exhaustive()
    }
}
