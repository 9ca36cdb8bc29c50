//! Database hops: a span for each statement, and an outbox that carries the context of a write through a table.
//!
//! ```text
//! POST /orders                 SERVER
//! ├─ BEGIN                     CLIENT   waited 3 ms for a connection
//! ├─ INSERT orders             CLIENT   INSERT INTO orders (id, item) VALUES ($1, $2)
//! └─ COMMIT                    CLIENT
//! ```
//!
//! | of sqlx | in its place | what changes |
//! |---|---|---|
//! | `sqlx::Pool` | [`Pool::from`] | nothing: `.execute(&pool)`, `pool.begin()`, `pool.acquire()` |
//! | `sqlx::pool::PoolConnection` | [`PoolConnection`] | nothing: `.execute(&mut *connection)` |
//! | `sqlx::Transaction` | [`Transaction`] | nothing: `.execute(&mut *transaction)`, `commit()`, `rollback()` |
//! | `&mut SqliteConnection` and the like, as a parameter | `&mut` [`Connection`]`<'_, Sqlite>` | the type |
//! | a connection that you have made yourself | [`Connection::new`] | `.execute(&mut connection)` |
//! | what insists on sqlx's own, as [`outbox`] does | [`Pool::inner`], [`Connection::inner_mut`] | has no spans |
//!
//! A span has the text of its statement with bound values left where they are, out of it, or with `?` in the place of each
//! literal ([`QueryText`]). It is named by the summary, `SELECT orders`. [`Pool`] says when it begins and ends and what is
//! recorded of a failure, [`System`] what is read from the connect options, [`Settings`] what is told on request: returned
//! rows, and the trace in a comment of the statement.
//!
//! | metric | of |
//! |---|---|
//! | `db.client.operation.duration` | each statement, with its summary and `error.type` |
//! | `db.client.response.returned_rows` | each statement, on request |
//! | `db.client.connection.wait_time` | each connection that was waited for, by the pool's name |
//! | `db.client.connection.timeouts` | each wait in vain |
//! | `db.client.connection.pending_requests` | who waits now |
//!
//! Each database is a feature: `sqlite`, `postgres`, `mysql` (MariaDB, too). sqlx asks for Rust 1.94. The outbox has its story in
//! its own module.

// A span for each statement.
mod spans;

// An event beside a write, and a consumer that takes it once.
pub mod inbox;
pub mod outbox;

pub use spans::{Connection, Operation, Pool, PoolConnection, QueryText, Settings, System, Transaction};
