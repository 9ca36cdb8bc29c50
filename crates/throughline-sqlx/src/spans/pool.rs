//! A pool whose statements have spans.

use std::{
    borrow::Cow,
    fmt,
    ops::{Deref, DerefMut},
};

use sqlx::{Error, SqlSafeStr};

use super::{
    acquire::acquire,
    connection::{Connection, Held},
    operation::Operation,
    run::Source,
    settings::Settings,
    system::System,
    transaction::{self, Transaction},
};

/// A pool of sqlx, each of whose statements has a span: `&pool` is an [`Executor`](sqlx::Executor), as with sqlx.
///
/// ```
/// # #[cfg(feature = "sqlite")]
/// # async fn example() -> Result<(), sqlx::Error> {
/// let pool = sqlx::SqlitePool::connect("sqlite::memory:").await?;
/// let pool = throughline_sqlx::Pool::from(pool); // the one new line
///
/// let mut transaction = pool.begin().await?;
/// sqlx::query("INSERT INTO orders (item) VALUES (?)").bind("tea").execute(&mut *transaction).await?;
/// transaction.commit().await?;
/// # Ok(())
/// # }
/// ```
///
/// The span of a statement is a child of what is current when it begins to run. For one that is executed on the pool itself it
/// begins with the wait for a connection, which its attribute `throughline.db.wait_time_ms` tells apart; the measured
/// duration is that of the span. It ends when the last row has been handed over, with the first error, or when the future or
/// the stream is dropped: `throughline.db.end` says which. Someone who takes few rows of a stream and drops it has cancelled
/// it, which is no failure. Nor is [`Error::RowNotFound`]: the database has answered.
///
/// A failure has a status, an `error.type` and, where the database has given a code, `db.response.status_code`, which
/// `error.type` then repeats; without one it is the variant of sqlx's error, `sqlx::Error::PoolTimedOut`. The message isn't
/// shown, since it may quote the values of a row.
///
/// Where spans are filtered out and nothing is measured, the texts of statements are not looked at.
///
/// All else is there through [`Deref`]: what is given the pool behind it makes no spans.
pub struct Pool<DB: System> {
    inner: sqlx::Pool<DB>,
    settings: Settings,
}

impl<DB: System> Pool<DB> {
    /// Makes spans of what is executed on the pool, with the defaults of [`Settings`].
    #[must_use]
    pub fn new(pool: sqlx::Pool<DB>) -> Self {
        let settings = Settings::new(&*pool.connect_options());
        Self { inner: pool, settings }
    }

    /// The same with settings.
    #[must_use]
    pub const fn with(pool: sqlx::Pool<DB>, settings: Settings) -> Self {
        Self { inner: pool, settings }
    }

    /// The pool of sqlx, whose statements have no spans: for `sqlx::migrate!`, and whatever else insists on it.
    #[must_use]
    pub const fn inner(&self) -> &sqlx::Pool<DB> {
        &self.inner
    }

    /// A connection. The wait for it is measured, and has no span of its own.
    ///
    /// # Errors
    ///
    /// [`Error::PoolTimedOut`] and [`Error::PoolClosed`], and those of connecting.
    pub async fn acquire(&self) -> Result<PoolConnection<DB>, Error> {
        let (connection, _waited) = acquire(&self.inner, &self.settings).await;
        connection.map(|connection| self.connection(connection))
    }

    /// A connection, if there is one that nobody uses.
    #[must_use]
    pub fn try_acquire(&self) -> Option<PoolConnection<DB>> {
        self.inner.try_acquire().map(|connection| self.connection(connection))
    }

    /// Begins a transaction. Its span has the wait for a connection in it.
    ///
    /// # Errors
    ///
    /// Those of [`acquire`](Self::acquire), and of the database.
    ///
    /// # Cancel safety
    ///
    /// Dropped while it waits for a connection, nothing has happened. Dropped while PostgreSQL or MySQL answers, the connection can
    /// go back to the pool with a transaction open that sqlx (0.9.0) doesn't know of: what is executed on it later is not
    /// committed. The same is true of every `begin` of this crate, and of sqlx's own. Where a caller can be cancelled, begin in
    /// a task of its own, or let the pool's
    /// [`after_release`](sqlx::pool::PoolOptions::after_release) execute `ROLLBACK`.
    pub async fn begin(&self) -> Result<Transaction<'static, DB>, Error> {
        transaction::begin_on_pool(&self.inner, &self.settings, None).await
    }

    /// Begins a transaction with a statement in the place of `BEGIN`, such as `BEGIN IMMEDIATE`.
    ///
    /// # Errors
    ///
    /// Those of [`begin`](Self::begin).
    pub async fn begin_with(&self, statement: impl SqlSafeStr) -> Result<Transaction<'static, DB>, Error> {
        transaction::begin_on_pool(&self.inner, &self.settings, Some(statement.into_sql_str())).await
    }

    /// Begins a transaction, if there is a connection that nobody uses.
    ///
    /// # Errors
    ///
    /// Those of the database.
    pub async fn try_begin(&self) -> Result<Option<Transaction<'static, DB>>, Error> {
        self.try_start(None).await
    }

    /// The same with a statement in the place of `BEGIN`.
    ///
    /// # Errors
    ///
    /// Those of the database.
    pub async fn try_begin_with(
        &self,
        statement: impl SqlSafeStr,
    ) -> Result<Option<Transaction<'static, DB>>, Error> {
        self.try_start(Some(statement.into_sql_str())).await
    }

    /// Names the operation and the table of a statement, as a repository would that knows both:
    /// `query.execute(pool.operation("INSERT", "orders"))`.
    ///
    /// They become `db.operation.name` and `db.collection.name`, on the span and in metrics, so there should be few of them.
    /// They are never read out of a text, which may hold several: `db.query.summary` has those.
    pub fn operation(
        &self,
        operation: impl Into<Cow<'static, str>>,
        collection: impl Into<Cow<'static, str>>,
    ) -> Operation<'static, DB> {
        self.statement().named(operation, collection)
    }

    pub(super) fn statement(&self) -> Operation<'static, DB> {
        Operation::unnamed(Source::Pool(self.inner.clone()), &self.settings)
    }

    async fn try_start(
        &self,
        statement: Option<sqlx::SqlStr>,
    ) -> Result<Option<Transaction<'static, DB>>, Error> {
        match self.inner.try_acquire() {
            Some(connection) => transaction::begin_on(connection, &self.settings, statement).await.map(Some),
            None => Ok(None),
        }
    }

    fn connection(&self, connection: sqlx::pool::PoolConnection<DB>) -> PoolConnection<DB> {
        PoolConnection(Connection { held: Held::Pool(connection), settings: self.settings.clone() })
    }
}

impl<DB: System> From<sqlx::Pool<DB>> for Pool<DB> {
    fn from(pool: sqlx::Pool<DB>) -> Self {
        Self::new(pool)
    }
}

impl<DB: System> Clone for Pool<DB> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), settings: self.settings.clone() }
    }
}

impl<DB: System> Deref for Pool<DB> {
    type Target = sqlx::Pool<DB>;

    fn deref(&self) -> &Self::Target {
        &self.inner
    }
}

impl<DB: System> fmt::Debug for Pool<DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("inner", &self.inner).field("settings", &self.settings).finish()
    }
}

/// A connection of a [`Pool`], which goes back to it when dropped: `&mut *connection` is an
/// [`Executor`](sqlx::Executor), as with sqlx.
#[derive(Debug)]
pub struct PoolConnection<DB: System>(Connection<'static, DB>);

impl<DB: System> Deref for PoolConnection<DB> {
    type Target = Connection<'static, DB>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl<DB: System> DerefMut for PoolConnection<DB> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.0
    }
}
