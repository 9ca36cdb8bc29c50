//! An event as it comes out of the table.

use std::{fmt, time::Duration};

use throughline_core::{Context, EdgePolicy, Propagator};
use tokio::time::Instant;
use uuid::Uuid;

use super::{Dialect, columns::Columns};

/// An event that is being relayed.
#[derive(Clone)]
pub struct StoredEvent {
    pub(crate) position: i64,
    id: Uuid,
    topic: String,
    key: Option<String>,
    payload: Vec<u8>,
    context: Context,
    attempts: i64,
    replays: i64,
    /// When it was asked for. The two times are what the database said then.
    asked: Instant,
    age_then: Duration,
    queue_time_then: Duration,
    /// How long it is until the next attempt may be made.
    pub(crate) due_in: Duration,
}

impl StoredEvent {
    /// The id that [`store`](super::Outbox::store) returned: the same for every attempt and replay, so that a consumer's
    /// [`Inbox`](crate::inbox::Inbox) knows the event again. Send it along.
    #[must_use]
    pub const fn id(&self) -> Uuid {
        self.id
    }

    /// Where it goes.
    #[must_use]
    pub fn topic(&self) -> &str {
        &self.topic
    }

    /// What it is about, if that was said.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    /// What a consumer gets.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// The context that it was stored in: its `create` span, correlation id and baggage.
    ///
    /// Inside the relay's closure the current context is another one: that of the `relay` span, with the same correlation
    /// id and baggage.
    #[must_use]
    pub const fn context(&self) -> &Context {
        &self.context
    }

    /// Which attempt this is, from 1; a replay begins anew.
    #[must_use]
    pub fn attempt(&self) -> u32 {
        u32::try_from(self.attempts.saturating_add(1)).unwrap_or(u32::MAX)
    }

    /// How often it was replayed.
    #[must_use]
    pub fn replays(&self) -> u32 {
        u32::try_from(self.replays).unwrap_or_default()
    }

    /// The time since it was stored, until now.
    #[must_use]
    pub fn age(&self) -> Duration {
        self.age_then.saturating_add(self.asked.elapsed())
    }

    /// The time that it has waited, until now: since it was stored, or replayed.
    #[must_use]
    pub fn queue_time(&self) -> Duration {
        self.queue_time_then.saturating_add(self.asked.elapsed())
    }

    pub(crate) const fn attempts(&self) -> i64 {
        self.attempts
    }
}

impl fmt::Debug for StoredEvent {
    /// Shows no payload, key or baggage: they may be secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredEvent")
            .field("id", &self.id)
            .field("topic", &self.topic)
            .field("attempt", &self.attempt())
            .finish_non_exhaustive()
    }
}

/// A row as it was found: not everything that can stand in a table is an event.
#[derive(Debug)]
pub(crate) enum Found {
    Event(Box<StoredEvent>),
    /// Its id, topic, key or payload can't be read. Where not even its position can, there is nothing to be done.
    Unreadable(Option<i64>),
}

impl Found {
    /// Reads a row of the statement `NEXT`.
    ///
    /// A context that makes no sense counts as absent, and is counted by the propagator; the event has its payload all the same.
    pub(crate) fn read<DB: Dialect>(row: &DB::Row, propagator: &Propagator, asked: Instant) -> Self {
        let position = DB::integer(row, 0);
        read::<DB>(row, propagator, asked)
            .map_or(Self::Unreadable(position), |event| Self::Event(Box::new(event)))
    }
}

fn read<DB: Dialect>(row: &DB::Row, propagator: &Propagator, asked: Instant) -> Option<StoredEvent> {
    let text = |column| String::from_utf8(DB::bytes(row, column)?).ok();
    // What isn't UTF-8 is still shown to the propagator, which refuses and counts it.
    let lossy = |column| Some(String::from_utf8_lossy(&DB::bytes(row, column)?).into_owned());
    let key = DB::bytes(row, 3).map(String::from_utf8).transpose().ok()?;
    let mut columns = Columns::new(propagator).with_more(&lossy(9).unwrap_or_default());
    (columns.traceparent, columns.tracestate) = (lossy(5), lossy(6));
    (columns.baggage, columns.correlation_id) = (lossy(7), lossy(8));
    let now = DB::integer(row, 15)?;
    Some(StoredEvent {
        position: DB::integer(row, 0)?,
        id: Uuid::parse_str(&text(1)?).ok()?,
        topic: text(2)?,
        key,
        payload: DB::bytes(row, 4)?,
        context: propagator.extract(&columns, &EdgePolicy::trust()),
        attempts: DB::integer(row, 10)?,
        replays: DB::integer(row, 11)?,
        asked,
        age_then: between(DB::integer(row, 12)?, now),
        queue_time_then: between(DB::integer(row, 13)?, now),
        due_in: between(now, DB::integer(row, 14)?),
    })
}

/// From one time of the database to another; nothing where that is the earlier one.
pub(crate) fn between(earlier: i64, later: i64) -> Duration {
    Duration::from_millis(u64::try_from(later.saturating_sub(earlier)).unwrap_or_default())
}

/// As the statements have it; what doesn't fit is as good as for ever.
pub(crate) fn as_milliseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX / 4)
}
