//! The outbox as the application holds it.

use std::{fmt, marker::PhantomData, sync::Arc};

use sqlx::Pool;
use tokio::sync::Notify;

use super::{Dialect, OutboxError, dialect::Argument, error::check_table, statements::Statements};

/// The name of the table, unless another is given.
pub const TABLE: &str = "throughline_outbox";
/// How many bytes a payload may have, unless another limit is set.
pub const PAYLOAD_BYTES_MAX: usize = 256 * 1024;

/// A table of events that wait to be told to others; see the [module](super).
///
/// Clones are cheap, and one for the whole process.
///
/// ```
/// # #[cfg(feature = "sqlite")]
/// # async fn example(pool: sqlx::SqlitePool) -> Result<(), Box<dyn std::error::Error>> {
/// use throughline_sqlx::outbox::{Event, Outbox};
///
/// let outbox = Outbox::<sqlx::Sqlite>::new().payload_bytes_max(64 * 1024);
/// outbox.create_tables(&pool).await?;
///
/// let mut transaction = pool.begin().await?;
/// sqlx::query("INSERT INTO orders (id) VALUES (7)").execute(&mut *transaction).await?;
/// outbox.store(&mut transaction, Event::new("order.created", "7")).await?;
/// transaction.commit().await?;
/// outbox.wake();
/// # Ok(())
/// # }
/// ```
pub struct Outbox<DB> {
    statements: Arc<Statements>,
    pub(crate) payload_bytes_max: usize,
    /// Rung when something was stored, for the relay of this process.
    pub(crate) bell: Arc<Notify>,
    database: PhantomData<fn() -> DB>,
}

impl<DB: Dialect> Outbox<DB> {
    /// The outbox in the table [`TABLE`].
    #[must_use]
    pub fn new() -> Self {
        Self::in_table(TABLE)
    }

    /// An outbox in a table of this name. A second one, `<name>_lease`, goes with it.
    ///
    /// # Errors
    /// [`OutboxError::TableName`], when it isn't 1 to 40 ASCII letters, digits and underscores, or begins with a digit.
    pub fn named(table: &str) -> Result<Self, OutboxError> {
        check_table(table)?;
        Ok(Self::in_table(table))
    }

    fn in_table(table: &str) -> Self {
        Self {
            statements: Arc::new(Statements::new(&DB::WORDS, table)),
            payload_bytes_max: PAYLOAD_BYTES_MAX,
            bell: Arc::default(),
            database: PhantomData,
        }
    }

    /// How many bytes a payload may have; [`PAYLOAD_BYTES_MAX`] unless set. A relay holds a whole batch in memory.
    #[must_use]
    pub const fn payload_bytes_max(mut self, bytes: usize) -> Self {
        self.payload_bytes_max = bytes;
        self
    }

    /// The statements that make the tables and indexes, for migrations of your own. Each does nothing where its object is
    /// there already.
    ///
    /// On SQLite and PostgreSQL, a table of an earlier version gets the indexes that it doesn't have. On MySQL and MariaDB the
    /// indexes are part of `CREATE TABLE`, which leaves a table alone that is there: add them with `ALTER TABLE`.
    pub fn schema(&self) -> impl Iterator<Item = &str> {
        self.statements.schema.iter().map(|statement| &**statement)
    }

    /// Makes the tables, unless they are there, by the statements of the [schema](Self::schema). Several processes may do so at
    /// once.
    ///
    /// # Errors
    /// [`OutboxError::Database`].
    pub async fn create_tables(&self, pool: &Pool<DB>) -> Result<(), OutboxError> {
        create_all(pool, &self.statements.schema).await
    }

    /// Tells the relay of this process that something was stored: call it after the commit. Without it, or with the relay
    /// in another process, the event waits for the next poll.
    pub fn wake(&self) {
        self.bell.notify_one();
    }

    pub(crate) fn statements(&self) -> &Statements {
        &self.statements
    }
}

/// PostgreSQL lets one of two that make the same table at once fail, although both say IF NOT EXISTS; a second try finds it.
pub(crate) async fn create_all<DB: Dialect>(pool: &Pool<DB>, schema: &[Arc<str>]) -> Result<(), OutboxError> {
    let mut connection = pool.acquire().await?;
    for statement in schema {
        if DB::execute(&mut connection, statement, NONE).await.is_err() {
            DB::execute(&mut connection, statement, NONE).await?;
        }
    }
    Ok(())
}

const NONE: &[Argument<'_>] = &[];

impl<DB: Dialect> Default for Outbox<DB> {
    fn default() -> Self {
        Self::new()
    }
}

impl<DB> Clone for Outbox<DB> {
    fn clone(&self) -> Self {
        Self {
            statements: Arc::clone(&self.statements),
            payload_bytes_max: self.payload_bytes_max,
            bell: Arc::clone(&self.bell),
            database: PhantomData,
        }
    }
}

impl<DB> fmt::Debug for Outbox<DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outbox").field("payload_bytes_max", &self.payload_bytes_max).finish_non_exhaustive()
    }
}
