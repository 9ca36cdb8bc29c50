//! What is known of a database, and what of its statements is wanted.

use std::{borrow::Cow, sync::Arc};

use sqlx::{ConnectOptions, Connection};

use super::{place::Place, system::System};

/// Which database it is, and what spans and metrics say of its statements. Cloning is cheap.
///
/// ```
/// # #[cfg(feature = "sqlite")]
/// # fn example() -> Result<(), sqlx::Error> {
/// use sqlx::SqlitePool;
/// use throughline_sqlx::{Pool, Settings};
///
/// let pool = SqlitePool::connect_lazy("sqlite://orders.db")?;
/// let settings = Settings::new(&*pool.connect_options()).pool_name("orders").returned_rows();
/// let pool = Pool::with(pool, settings);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "settings are for a pool or a connection"]
pub struct Settings(Arc<Inner>);

#[derive(Clone, Debug)]
pub(crate) struct Inner {
    pub(crate) place: Place,
    pub(crate) pool_name: String,
    pub(crate) text: QueryText,
    pub(crate) rows: Rows,
    pub(crate) comments: Comments,
}

/// What `db.query.text` has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum QueryText {
    /// A statement with bound arguments as it is, since its values are not in its text, and any other without its literals
    /// and comments.
    #[default]
    Parameterized,
    /// Every statement without its literals and comments: for programs that write values into statements that have arguments,
    /// too.
    Sanitized,
    /// Nothing.
    Off,
}

/// Whether returned rows are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rows {
    Told,
    Untold,
}

/// Whether statements end in a comment with their trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Comments {
    Traceparent,
    Off,
}

impl Settings {
    /// The defaults, for the database that these options lead to.
    pub fn new<O>(options: &O) -> Self
    where
        O: ConnectOptions,
        O::Connection: Connection<Options = O> + Sized,
        <O::Connection as Connection>::Database: System<Connection = O::Connection>,
    {
        let place = <O::Connection as Connection>::Database::place(options);
        Self(Arc::new(Inner {
            pool_name: place.pool_name(),
            place,
            text: QueryText::default(),
            rows: Rows::Untold,
            comments: Comments::Off,
        }))
    }

    /// What `db.system.name` says, where the driver's own name isn't right: `mariadb` behind the driver for MySQL,
    /// `cockroachdb` behind that for PostgreSQL.
    pub fn system(self, name: impl Into<Cow<'static, str>>) -> Self {
        self.with(|inner| inner.place.system = name.into())
    }

    /// What the pool is called in metrics (`db.client.connection.pool.name`); `server:port/database` unless set.
    ///
    /// Two pools of one program that lead to the same database need names to be told apart.
    pub fn pool_name(self, name: impl Into<String>) -> Self {
        self.with(|inner| inner.pool_name = name.into())
    }

    /// How much of a statement's text is recorded.
    pub fn query_text(self, text: QueryText) -> Self {
        self.with(|inner| inner.text = text)
    }

    /// Also records how many rows came back: `db.response.returned_rows` on the span, and a metric of the same name.
    pub fn returned_rows(self) -> Self {
        self.with(|inner| inner.rows = Rows::Told)
    }

    /// Ends each statement of a sampled span in a comment with the span's own context, so that the logs and the views of a
    /// database lead back to the trace: `SELECT 1 /*traceparent='00-…-01'*/`.
    ///
    /// It costs: no text is sent twice, so the database parses and plans each anew, and views that group by text group no
    /// longer. Statements with a comment are therefore prepared once and not kept in the connection's cache. Left alone are a
    /// text that has a comment already or seems to, a statement that the caller has prepared, and `BEGIN`, `COMMIT` and
    /// `ROLLBACK`.
    pub fn comments(self) -> Self {
        self.with(|inner| inner.comments = Comments::Traceparent)
    }

    fn with(mut self, change: impl FnOnce(&mut Inner)) -> Self {
        change(Arc::make_mut(&mut self.0));
        self
    }

    pub(crate) fn get(&self) -> &Inner {
        &self.0
    }
}
