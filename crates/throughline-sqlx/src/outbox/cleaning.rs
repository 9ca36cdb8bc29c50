//! A relay keeps its table small, a few rows a turn.

use std::time::Duration;

use tokio::time::Instant;

use super::{DELETE_ROWS_MAX, Dialect, Relay, retention::delete_some, statements::RELAYED};

/// How often relayed events are looked through for old ones.
const CLEANING_INTERVAL: Duration = Duration::from_secs(60);

/// When old events are deleted next.
#[derive(Debug, Default)]
pub(crate) struct Cleaning {
    /// `None` is at once.
    due: Option<Instant>,
}

impl Cleaning {
    /// Deletes a limited number of old events when it is time, and says whether there may be more of them.
    ///
    /// It is one statement, so that events wait for no other, and a relay that stops doesn't either. Where it fails, the
    /// events are none the worse: that is counted, told, and tried again after the interval.
    pub(crate) async fn turn<DB: Dialect, F>(&mut self, relay: &Relay<DB, F>) -> bool {
        let (now, age) = (Instant::now(), relay.settings.retention);
        if age == Duration::MAX || self.due.is_some_and(|due| now < due) {
            return false;
        }
        let deleted = delete_some(&relay.pool, relay.outbox.statements(), RELAYED, age).await;
        let has_more = deleted.as_ref().is_ok_and(|rows| *rows >= u64::from(DELETE_ROWS_MAX));
        self.due = (!has_more).then(|| now + CLEANING_INTERVAL);
        match deleted {
            Ok(rows) => relay.counters.deleted.add(rows),
            Err(error) => {
                relay.counters.cleaning_failures.add(1);
                let error: &dyn std::error::Error = &error;
                tracing::warn!(target: "throughline::outbox", error, "old events were not deleted");
            }
        }
        has_more
    }
}
