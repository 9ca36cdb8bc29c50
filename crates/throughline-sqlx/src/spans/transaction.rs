//! A transaction, whose beginning and end have spans.

use std::{
    future::Future,
    ops::{Deref, DerefMut},
};

use sqlx::{Connection as _, Error, SqlStr, pool::PoolConnection};
use tracing::Instrument;

use super::{
    acquire::acquire,
    call::{Call, Subject},
    connection::{Connection, Held},
    names::Names,
    settings::Settings,
    system::System,
};

/// A transaction, or a savepoint: `&mut *transaction` is an [`Executor`](sqlx::Executor), as with sqlx.
///
/// `BEGIN`, `COMMIT` and `ROLLBACK` have spans of their own. Dropped before either, it is rolled back, which the driver
/// does when the connection is used again; a `ROLLBACK` span is made at once, with `throughline.db.end` saying `queued`.
#[derive(Debug)]
pub struct Transaction<'c, DB: System> {
    // Dropped first, so that the span is there when the driver takes its note.
    open: Open,
    connection: Connection<'c, DB>,
}

/// Sees that a transaction was dropped without an end.
#[derive(Debug)]
struct Open {
    settings: Settings,
    level: Level,
    is_open: bool,
}

/// What a transaction is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Level {
    Transaction,
    Savepoint,
}

impl<DB: System> Transaction<'_, DB> {
    /// Commits it, or releases the savepoint. Cancelled halfway, it is rolled back, unless the database has it already.
    ///
    /// # Errors
    ///
    /// Those of the database. It is then rolled back.
    pub async fn commit(self) -> Result<(), Error> {
        let verb = self.open.level.commit();
        let (held, call) = self.end(verb);
        let result = held.commit().instrument(call.driver_span::<DB>()).await;
        call.finish::<DB, _>(&result);
        result
    }

    /// Rolls it back, to the savepoint if it is one.
    ///
    /// # Errors
    ///
    /// Those of the database.
    pub async fn rollback(self) -> Result<(), Error> {
        let verb = self.open.level.rollback();
        let (held, call) = self.end(verb);
        let result = held.rollback().instrument(call.driver_span::<DB>()).await;
        call.finish::<DB, _>(&result);
        result
    }
}

impl<'c, DB: System> Transaction<'c, DB> {
    fn new(transaction: sqlx::Transaction<'c, DB>, settings: Settings, level: Level) -> Self {
        let open = Open { settings: settings.clone(), level, is_open: true };
        Self { open, connection: Connection { held: Held::Transaction(transaction), settings } }
    }

    fn end(self, verb: &'static str) -> (Held<'c, DB>, Call) {
        let Self { mut open, connection: Connection { held, settings } } = self;
        open.is_open = false;
        (held, control(&settings, verb))
    }
}

/// Begins one on a connection of the pool, as soon as there is one.
pub(super) async fn begin_on_pool<DB: System>(
    pool: &sqlx::Pool<DB>,
    settings: &Settings,
    statement: Option<SqlStr>,
) -> Result<Transaction<'static, DB>, Error> {
    let call = control(settings, text_of(statement.as_ref()));
    let (connection, waited) = acquire(pool, settings).instrument(call.driver_span::<DB>()).await;
    call.waited(waited);
    match connection {
        Ok(connection) => begun(call, settings, Level::Transaction, start(connection, statement)).await,
        Err(error) => {
            call.fail::<DB>(&error);
            Err(error)
        }
    }
}

/// Begins one on a connection that the pool has given away.
pub(super) async fn begin_on<DB: System>(
    connection: PoolConnection<DB>,
    settings: &Settings,
    statement: Option<SqlStr>,
) -> Result<Transaction<'static, DB>, Error> {
    let call = control(settings, text_of(statement.as_ref()));
    begun(call, settings, Level::Transaction, start(connection, statement)).await
}

/// Begins one on a connection that somebody has, or a savepoint where it is in a transaction.
pub(super) async fn begin_inside<'c, DB: System>(
    connection: &'c mut DB::Connection,
    settings: &Settings,
    statement: Option<SqlStr>,
) -> Result<Transaction<'c, DB>, Error> {
    let level = if connection.is_in_transaction() { Level::Savepoint } else { Level::Transaction };
    match statement {
        Some(statement) => {
            let call = control(settings, statement.as_str());
            begun(call, settings, level, connection.begin_with(statement)).await
        }
        None => begun(control(settings, level.begin()), settings, level, connection.begin()).await,
    }
}

async fn begun<'c, DB: System>(
    call: Call,
    settings: &Settings,
    level: Level,
    begin: impl Future<Output = Result<sqlx::Transaction<'c, DB>, Error>>,
) -> Result<Transaction<'c, DB>, Error> {
    let result = begin.instrument(call.driver_span::<DB>()).await;
    call.finish::<DB, _>(&result);
    result.map(|transaction| Transaction::new(transaction, settings.clone(), level))
}

/// The one way to a transaction that owns its connection. `Pool::begin` goes it, too, but doesn't tell the wait apart.
async fn start<DB: System>(
    connection: PoolConnection<DB>,
    statement: Option<SqlStr>,
) -> Result<sqlx::Transaction<'static, DB>, Error> {
    sqlx::Transaction::begin(connection, statement).await
}

fn text_of(statement: Option<&SqlStr>) -> &str {
    statement.map_or(Level::Transaction.begin(), SqlStr::as_str)
}

/// A statement that the driver writes itself. Names of savepoints, which it makes up, are left out.
fn control(settings: &Settings, text: &str) -> Call {
    let subject = Subject { sql: text, is_parameterized: false, names: &Names::default() };
    Call::begin(settings, &subject)
}

impl Level {
    const fn begin(self) -> &'static str {
        match self {
            Self::Transaction => "BEGIN",
            Self::Savepoint => "SAVEPOINT",
        }
    }

    const fn commit(self) -> &'static str {
        match self {
            Self::Transaction => "COMMIT",
            Self::Savepoint => "RELEASE SAVEPOINT",
        }
    }

    const fn rollback(self) -> &'static str {
        match self {
            Self::Transaction => "ROLLBACK",
            Self::Savepoint => "ROLLBACK TO SAVEPOINT",
        }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        if self.is_open {
            control(&self.settings, self.level.rollback()).queue();
        }
    }
}

impl<'c, DB: System> Deref for Transaction<'c, DB> {
    type Target = Connection<'c, DB>;

    fn deref(&self) -> &Self::Target {
        &self.connection
    }
}

impl<DB: System> DerefMut for Transaction<'_, DB> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.connection
    }
}
