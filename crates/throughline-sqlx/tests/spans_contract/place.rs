//! The database that the contract is kept on.

use std::time::{Duration, Instant};

use sqlx::{AssertSqlSafe, SqlSafeStr, SqlStr};
use throughline_sqlx::{Pool, Settings, System};
use throughline_testing::Capture;

pub(crate) const DEADLINE: Duration = Duration::from_secs(10);

/// A database, and how its spans look.
pub(crate) struct Place<DB: System> {
    /// Of at least two connections to the same database.
    pub(crate) pool: sqlx::Pool<DB>,
    /// A pool of one connection, which is waited for shortly.
    pub(crate) narrow: sqlx::Pool<DB>,
    pub(crate) expected: Expected,
}

pub(crate) struct Expected {
    /// As the trees have it.
    pub(crate) kind: &'static str,
    pub(crate) system: &'static str,
    /// `db.namespace`, `server.address` and `server.port`, where there are any.
    pub(crate) namespace: Option<String>,
    pub(crate) address: Option<String>,
    pub(crate) port: Option<u16>,
    /// What is bound first and second is called so in statements.
    pub(crate) binds: [&'static str; 2],
    /// The status code of a value that is there already.
    pub(crate) duplicate: &'static str,
    /// A statement that returns its own text, as the database has it.
    pub(crate) own_text: Option<&'static str>,
}

impl<DB: System> Place<DB> {
    pub(crate) fn pool(&self) -> Pool<DB> {
        Pool::with(self.pool.clone(), self.settings())
    }

    pub(crate) fn settings(&self) -> Settings {
        Settings::new(&*self.pool.connect_options()).system(self.expected.system)
    }

    /// A statement with `$1` and `$2` for what is bound, as this database writes them.
    pub(crate) fn sql(&self, statement: &str) -> SqlStr {
        let [first, second] = self.expected.binds;
        AssertSqlSafe(statement.replace("$1", first).replace("$2", second)).into_sql_str()
    }

    /// An empty table with a number that there is once, and a text, made without a span.
    pub(crate) async fn table(&self, name: &str) {
        let table = format!("CREATE TABLE {name} (id BIGINT PRIMARY KEY, item VARCHAR(64) NOT NULL)");
        let mut connection = self.pool.acquire().await.unwrap();
        let drop = format!("DROP TABLE IF EXISTS {name}");
        for statement in [drop, table] {
            let call = DB::fetch_many(&mut connection, AssertSqlSafe(statement));
            futures_util::TryStreamExt::try_for_each(call, async |_| Ok(())).await.unwrap();
        }
    }
}

/// Waits until so many spans have ended: the driver for SQLite has a thread that holds a statement's span a moment longer than
/// the statement takes.
pub(crate) async fn ended(capture: &Capture, spans: usize) {
    let deadline = Instant::now() + DEADLINE;
    while capture.spans().len() < spans {
        assert!(Instant::now() < deadline, "not {spans} spans:\n{}", capture.tree());
        tokio::task::yield_now().await;
    }
}
