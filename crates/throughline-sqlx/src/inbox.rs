//! The other end: a consumer that does its work once, however often a message comes.
//!
//! Everything that is delivered at least once is, now and then, delivered twice. An [`Inbox`] remembers which messages a
//! consumer has had, in the same transaction as its work: either both are there, or neither.
//!
//! ```
//! # #[cfg(feature = "sqlite")]
//! # async fn example(pool: sqlx::SqlitePool, message_id: &str) -> Result<(), Box<dyn std::error::Error>> {
//! use throughline_sqlx::inbox::Inbox;
//!
//! let inbox = Inbox::<sqlx::Sqlite>::new();
//! inbox.create_tables(&pool).await?;
//!
//! let mut transaction = pool.begin().await?;
//! if inbox.first_time(&mut transaction, "fulfilment", message_id).await? {
//!     sqlx::query("UPDATE stock SET apples = apples - 1").execute(&mut *transaction).await?;
//! }
//! transaction.commit().await?;
//! # Ok(())
//! # }
//! ```
//!
//! The answer stands on the current span as `throughline.inbox.result`, `first` or `duplicate`, and in the metric
//! `throughline.inbox.messages`.

use std::{fmt, marker::PhantomData, sync::Arc, time::Duration};

use sqlx::Pool;
use throughline_core::{
    Metric, Pipeline, SpanExt,
    semconv::{messaging::MESSAGING_CONSUMER_GROUP_NAME, own::INBOX_RESULT},
};
use tracing::Span;

use crate::outbox::{
    DELETE_ROWS_MAX, Dialect, OutboxError,
    dialect::{Argument, Words},
    error::{check_key, check_table},
    stored_event::as_milliseconds,
    table::create_all,
};

/// The name of the table, unless another is given.
pub const TABLE: &str = "throughline_inbox";
/// How long to remember a message, where nothing says otherwise: four times as long as a relay keeps what can be replayed.
pub const RETENTION: Duration = Duration::from_secs(28 * 24 * 3600);
/// How often [`Inbox::forget_regularly`] does so.
pub const FORGETTING_INTERVAL: Duration = Duration::from_secs(60);

/// The messages that the consumers of a database have had; see the [module](self).
///
/// Clones are cheap, and one for the whole process.
pub struct Inbox<DB> {
    statements: Arc<Statements>,
    database: PhantomData<fn() -> DB>,
}

#[derive(Debug)]
struct Statements {
    schema: Vec<Arc<str>>,
    first_time: Arc<str>,
    delete: Arc<str>,
}

impl<DB: Dialect> Inbox<DB> {
    /// The inbox in the table [`TABLE`].
    #[must_use]
    pub fn new() -> Self {
        Self::in_table(TABLE)
    }

    /// An inbox in a table of this name.
    ///
    /// # Errors
    /// [`OutboxError::TableName`], when it isn't 1 to 40 ASCII letters, digits and underscores, or begins with a digit.
    pub fn named(table: &str) -> Result<Self, OutboxError> {
        check_table(table)?;
        Ok(Self::in_table(table))
    }

    fn in_table(table: &str) -> Self {
        Self { statements: Arc::new(Statements::new(&DB::WORDS, table)), database: PhantomData }
    }

    /// The statements that make the table, for migrations of your own. Each does nothing where its object is there already.
    pub fn schema(&self) -> impl Iterator<Item = &str> {
        self.statements.schema.iter().map(|statement| &**statement)
    }

    /// Makes the table, unless it is there. Several processes may do so at once.
    ///
    /// # Errors
    /// [`OutboxError::Database`].
    pub async fn create_tables(&self, pool: &Pool<DB>) -> Result<(), OutboxError> {
        create_all(pool, &self.statements.schema).await
    }

    /// Whether `consumer` meets this message for the first time; from now on it has met it, if the transaction is
    /// committed.
    ///
    /// Give it the transaction of the work. Where another one is about to take the same message, this waits for it: when
    /// that commits, the answer is `false`; when it rolls back, `true`. On PostgreSQL that is so with `READ COMMITTED`, which is
    /// the default: with `REPEATABLE READ` and `SERIALIZABLE`, the one that has waited gets an error, SQLSTATE 40001, and has to
    /// roll back and begin anew.
    ///
    /// # Errors
    /// [`OutboxError::Key`], when one of the two is empty or longer than
    /// [`KEY_BYTES_MAX`](crate::outbox::KEY_BYTES_MAX) bytes; [`OutboxError::Database`].
    ///
    /// # Cancel safety
    /// When the future is dropped, the message may count as met: roll the transaction back.
    pub async fn first_time(
        &self,
        connection: &mut DB::Connection,
        consumer: &str,
        message_id: &str,
    ) -> Result<bool, OutboxError> {
        check_key("consumer", consumer)?;
        check_key("message id", message_id)?;
        let arguments = [Argument::Text(Some(consumer)), Argument::Text(Some(message_id))];
        let first = DB::execute(connection, &self.statements.first_time, &arguments).await? > 0;
        tell(consumer, if first { "first" } else { "duplicate" });
        Ok(first)
    }

    /// Forgets what was met longer ago than `age`, a thousand rows a statement, and says how many there were.
    ///
    /// A message that comes after that is taken for a new one: `age` has to be longer than anything can be on its way,
    /// replays included.
    ///
    /// # Errors
    /// [`OutboxError::Database`]; some may have been forgotten.
    pub async fn forget_before(&self, pool: &Pool<DB>, age: Duration) -> Result<u64, OutboxError> {
        let mut connection = pool.acquire().await?;
        let limit = i64::from(DELETE_ROWS_MAX);
        let arguments = [as_milliseconds(age), limit].map(Argument::Integer);
        let mut forgotten = 0;
        loop {
            let rows = DB::execute(&mut connection, &self.statements.delete, &arguments).await?;
            forgotten += rows;
            if rows < u64::from(DELETE_ROWS_MAX) {
                return Ok(forgotten);
            }
        }
    }
}

impl<DB: Dialect> Inbox<DB> {
    /// [Forgets](Self::forget_before) what was met longer ago than `age`, at once and then every [`FORGETTING_INTERVAL`], until
    /// `shutdown` is ready: to be spawned, one for the table. Without it, the table grows.
    ///
    /// A database that is away is tried again the next time, with a warning.
    ///
    /// # Cancel safety
    /// It can be dropped at any time.
    pub async fn forget_regularly(self, pool: Pool<DB>, age: Duration, shutdown: impl Future<Output = ()>) {
        let forgetting = async {
            loop {
                if let Err(error) = self.forget_before(&pool, age).await {
                    let error: &dyn std::error::Error = &error;
                    tracing::warn!(target: "throughline::outbox", error, "the inbox forgets nothing");
                }
                tokio::time::sleep(FORGETTING_INTERVAL).await;
            }
        };
        tokio::select! {
            () = shutdown => {}
            () = forgetting => {}
        }
    }
}

/// Consumers come from code and are few, so that they can be a label.
fn tell(consumer: &str, result: &'static str) {
    Span::current().set_attribute(INBOX_RESULT, result);
    let attributes = [(INBOX_RESULT, result.into()), (MESSAGING_CONSUMER_GROUP_NAME, consumer.into())];
    Pipeline::current().record(Metric::InboxMessages, 1.0, &attributes);
}

impl Statements {
    fn new(words: &Words, table: &str) -> Self {
        let index = if words.index_if_absent { "" } else { INDEX_INLINE };
        let mut schema = vec![words.statement(&TABLE_SCHEMA.replace("{index}", index), table)];
        if words.index_if_absent {
            schema.push(words.statement(INDEX, table));
        }
        let delete = if words.delete_has_limit { DELETE_LIMITED } else { DELETE_BY_KEY };
        Self {
            schema,
            first_time: words.statement(FIRST_TIME, table),
            delete: words.statement(delete, table),
        }
    }
}

const TABLE_SCHEMA: &str = "CREATE TABLE IF NOT EXISTS {table} (
    consumer {key} NOT NULL,
    message_id {key} NOT NULL,
    met_at {integer} NOT NULL,
    PRIMARY KEY (consumer, message_id){index}
)";

const INDEX: &str = "CREATE INDEX IF NOT EXISTS {table}_met_at ON {table} (met_at)";
const INDEX_INLINE: &str = ",
    INDEX {table}_met_at (met_at)";

const FIRST_TIME: &str = "{insert_if_absent} INTO {table} (consumer, message_id, met_at) VALUES (?, ?, {now}) \
     {unless_there}";

const DELETE_BY_KEY: &str = "DELETE FROM {table} WHERE (consumer, message_id) IN (SELECT consumer, message_id \
     FROM {table} WHERE met_at < {now} - ? ORDER BY met_at LIMIT ?)";

const DELETE_LIMITED: &str = "DELETE FROM {table} WHERE met_at < {now} - ? ORDER BY met_at LIMIT ?";

impl<DB: Dialect> Default for Inbox<DB> {
    fn default() -> Self {
        Self::new()
    }
}

impl<DB> Clone for Inbox<DB> {
    fn clone(&self) -> Self {
        Self { statements: Arc::clone(&self.statements), database: PhantomData }
    }
}

impl<DB> fmt::Debug for Inbox<DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inbox").finish_non_exhaustive()
    }
}
