//! The statements of one outbox, in the words of its database.

use std::sync::Arc;

use super::dialect::Words;

/// What `state` says of an event.
pub(crate) const WAITING: i64 = 0;
pub(crate) const RELAYED: i64 = 1;
pub(crate) const DEAD: i64 = 2;

/// Each statement as text, put together once.
#[derive(Debug)]
pub(crate) struct Statements {
    pub(crate) schema: Vec<Arc<str>>,
    pub(crate) store: Arc<str>,
    pub(crate) next_of_all: Arc<str>,
    pub(crate) next_of_keys: Arc<str>,
    pub(crate) relayed: Arc<str>,
    pub(crate) failed: Arc<str>,
    pub(crate) dead: Arc<str>,
    pub(crate) state_of: Arc<str>,
    pub(crate) state: Arc<str>,
    pub(crate) delete_settled: Arc<str>,
    pub(crate) replay: Arc<str>,
    pub(crate) replay_one: Arc<str>,
    pub(crate) lease_take: Arc<str>,
    pub(crate) lease_left: Arc<str>,
    pub(crate) lease_row: Arc<str>,
    pub(crate) lease_release: Arc<str>,
}

impl Statements {
    pub(crate) fn new(words: &Words, table: &str) -> Self {
        let statement = |template: &str| words.statement(template, table);
        let indexes = if words.index_if_absent { "" } else { INDEXES_INLINE };
        let mut schema = vec![statement(&TABLE.replace("{indexes}", indexes)), statement(LEASE_TABLE)];
        if words.index_if_absent {
            schema.extend(INDEXES.map(statement));
        }
        schema.push(statement(LEASE_ROW));
        let delete = if words.delete_has_limit { DELETE_LIMITED } else { DELETE_BY_POSITION };
        Self {
            schema,
            store: statement(STORE),
            next_of_all: statement(&format!("{CLOCK} {NEXT} ORDER BY position LIMIT ?")),
            next_of_keys: statement(&format!("{CLOCK} {NEXT} {OF_KEYS} ORDER BY position LIMIT ?")),
            relayed: statement(RELAYED_NOW),
            failed: statement(FAILED),
            dead: statement(DEAD_NOW),
            state_of: statement(STATE_OF),
            state: statement(STATE),
            delete_settled: statement(delete),
            replay: statement(&format!("{REPLAY} AND state >= ? AND stored_at >= ? AND stored_at < ?")),
            replay_one: statement(&format!("{REPLAY} AND message_id = ?")),
            lease_take: statement(LEASE_TAKE),
            lease_left: statement(LEASE_LEFT),
            lease_row: statement(LEASE_ROW),
            lease_release: statement(LEASE_RELEASE),
        }
    }
}

const TABLE: &str = "CREATE TABLE IF NOT EXISTS {table} (
    position {position},
    message_id {key} NOT NULL,
    topic {key} NOT NULL,
    ordering_key {key},
    payload {bytes} NOT NULL,
    traceparent {text},
    tracestate {text},
    baggage {text},
    correlation_id {text},
    more_context {text},
    state {integer} NOT NULL,
    attempts {integer} NOT NULL,
    replays {integer} NOT NULL,
    last_error {text},
    stored_at {integer} NOT NULL,
    waiting_since {integer} NOT NULL,
    next_attempt_at {integer} NOT NULL,
    settled_at {integer}{indexes}
)";

const INDEXES: [&str; 4] = [
    "CREATE UNIQUE INDEX IF NOT EXISTS {table}_message_id ON {table} (message_id)",
    "CREATE INDEX IF NOT EXISTS {table}_state ON {table} (state, position)",
    "CREATE INDEX IF NOT EXISTS {table}_ordering_key ON {table} (state, ordering_key, position)",
    "CREATE INDEX IF NOT EXISTS {table}_settled_at ON {table} (state, settled_at)",
];

const INDEXES_INLINE: &str = ",
    UNIQUE INDEX {table}_message_id (message_id),
    INDEX {table}_state (state, position),
    INDEX {table}_ordering_key (state, ordering_key, position),
    INDEX {table}_settled_at (state, settled_at)";

const STORE: &str = "INSERT INTO {table} (message_id, topic, ordering_key, payload, traceparent, tracestate, baggage, \
     correlation_id, more_context, state, attempts, replays, stored_at, waiting_since, next_attempt_at) \
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 0, 0, {now}, {now}, 0)";

/// The clock is read once for a whole look at the table. SQLite's goes on from row to row, and PostgreSQL's within one: an
/// elder that came due in between would neither be found nor hold up whoever is behind it.
const CLOCK: &str = "WITH clock AS {materialized} (SELECT {now} AS now)";

/// The order of the columns is that in which `StoredEvent` reads them.
const NEXT: &str = "SELECT position, message_id, topic, ordering_key, payload, traceparent, tracestate, baggage, \
     correlation_id, more_context, attempts, replays, stored_at, waiting_since, next_attempt_at, (SELECT now FROM clock) \
     FROM {table} AS event WHERE state = 0";

/// What is due, and has no elder of the same key that isn't. What is due later than any wait can be is due as well: the clock
/// was wrong when that was written.
const OF_KEYS: &str = "AND (next_attempt_at <= (SELECT now FROM clock) OR next_attempt_at > (SELECT now FROM clock) + ?) \
     AND (ordering_key IS NULL OR NOT EXISTS (SELECT 1 FROM {table} AS elder WHERE elder.state = 0 AND \
     elder.ordering_key = event.ordering_key AND elder.position < event.position AND \
     elder.next_attempt_at > (SELECT now FROM clock) AND elder.next_attempt_at <= (SELECT now FROM clock) + ?))";

const RELAYED_NOW: &str =
    "UPDATE {table} SET state = 1, settled_at = {now}, last_error = NULL WHERE position = ? AND state = 0";

/// A relay that has lost its lease meanwhile finds another number of attempts, and changes nothing.
const FAILED: &str = "UPDATE {table} SET attempts = attempts + 1, last_error = ?, next_attempt_at = {now} + ? \
     WHERE position = ? AND state = 0 AND attempts = ?";

const DEAD_NOW: &str = "UPDATE {table} SET state = 2, settled_at = {now}, attempts = attempts + 1, last_error = ? \
     WHERE position = ? AND state = 0";

const STATE_OF: &str = "SELECT state FROM {table} WHERE position = ?";

/// Can be counted in an index alone. Only of what waits are the rows looked at, for the time that no index has.
const STATE: &str = "SELECT state, COUNT(*), (SELECT MIN(waiting_since) FROM {table} WHERE state = 0), {now} FROM {table} \
     GROUP BY state ORDER BY state";

/// The clock is asked in a query of its own: PostgreSQL doesn't look up in an index what may change from row to row.
const DELETE_BY_POSITION: &str = "DELETE FROM {table} WHERE position IN (SELECT position FROM {table} \
     WHERE state = ? AND settled_at <= (SELECT {now}) - ? ORDER BY settled_at LIMIT ?)";

const DELETE_LIMITED: &str =
    "DELETE FROM {table} WHERE state = ? AND settled_at <= (SELECT {now}) - ? ORDER BY settled_at LIMIT ?";

const REPLAY: &str = "UPDATE {table} SET state = 0, attempts = 0, replays = replays + 1, last_error = NULL, \
     next_attempt_at = 0, settled_at = NULL, waiting_since = {now} WHERE state <> 0";

const LEASE_TABLE: &str = "CREATE TABLE IF NOT EXISTS {table}_lease (
    name {key} NOT NULL PRIMARY KEY,
    holder {key} NOT NULL,
    expires_at {integer} NOT NULL
)";

const LEASE_ROW: &str = "{insert_if_absent} INTO {table}_lease (name, holder, expires_at) VALUES ('relay', '', 0) \
     {unless_there}";

/// A lease that lasts longer than any can was written when the clock was wrong.
const LEASE_TAKE: &str = "UPDATE {table}_lease SET holder = ?, expires_at = {now} + ? \
     WHERE name = 'relay' AND (holder = ? OR expires_at <= {now} OR expires_at > {now} + ?)";

const LEASE_LEFT: &str = "SELECT expires_at, {now} FROM {table}_lease WHERE name = 'relay'";

const LEASE_RELEASE: &str = "UPDATE {table}_lease SET expires_at = 0 WHERE name = 'relay' AND holder = ?";

#[cfg(all(test, feature = "sqlite"))]
mod tests {
    use sqlx::{Connection, Row, Sqlite, SqliteConnection};

    use super::*;
    use crate::outbox::dialect::sealed::Statements as _;

    /// With a clock that is somewhere else each time it is looked at.
    #[tokio::test]
    async fn however_fast_the_clock_runs_nobody_overtakes_an_elder() {
        let words = Words { now: "(abs(random()) % 200)", ..Sqlite::WORDS };
        let statements = Statements::new(&words, "events");
        let mut connection = SqliteConnection::connect("sqlite::memory:").await.unwrap();
        let events = [("elder", 100), ("younger", 0)].map(|(id, due_at)| {
            format!(
                "INSERT INTO events (message_id, topic, ordering_key, payload, state, attempts, replays, stored_at, \
                 waiting_since, next_attempt_at) VALUES ('{id}', 't', 'k', x'', 0, 0, 0, 0, 0, {due_at})"
            )
        });
        for sql in statements.schema.iter().map(|sql| &**sql).chain(events.iter().map(String::as_str)) {
            sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
        }
        let mut seen = [0; 2];
        for _ in 0..1_000 {
            let query = sqlx::query(sqlx::AssertSqlSafe(Arc::clone(&statements.next_of_keys)));
            let rows = query.bind(10_000).bind(10_000).bind(10).fetch_all(&mut connection).await.unwrap();
            let ids: Vec<String> = rows.iter().map(|row| row.get("message_id")).collect();
            match ids.iter().map(String::as_str).collect::<Vec<_>>()[..] {
                [] => seen[0] += 1,
                ["elder", "younger"] => seen[1] += 1,
                _ => panic!("{ids:?}"),
            }
        }
        assert!(seen.iter().all(|times| *times > 0), "the clock stood still: {seen:?}");
    }

    /// Without an index, each look for old rows would be one at all rows.
    #[tokio::test]
    async fn cleaning_and_counting_read_an_index() {
        let statements = Statements::new(&Sqlite::WORDS, "events");
        let mut connection = SqliteConnection::connect("sqlite::memory:").await.unwrap();
        for sql in &statements.schema {
            sqlx::raw_sql(sqlx::AssertSqlSafe(&**sql)).execute(&mut connection).await.unwrap();
        }
        for (sql, expected) in [
            (&statements.delete_settled, "INDEX events_settled_at (state=? AND settled_at<?)"),
            (&statements.state, "SCAN events USING COVERING INDEX"),
        ] {
            let query = sqlx::query(sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}")));
            let rows = query.fetch_all(&mut connection).await.unwrap();
            let plan: Vec<String> = rows.iter().map(|row| row.get("detail")).collect();
            assert!(plan.iter().any(|step| step.contains(expected)), "{plan:?}");
            assert!(!plan.iter().any(|step| step.contains("TEMP B-TREE")), "{plan:?}");
        }
    }
}
