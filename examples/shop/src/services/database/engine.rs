//! One of the two databases: its pool, its outbox, its inbox, and the relay over them.

use std::{fmt, sync::Arc, time::Duration};

use throughline::sqlx::{
    Pool, System,
    inbox::Inbox,
    outbox::{Dialect, Order, Outbox, OutboxError, Relay, StoredEvent},
};

use crate::services::{Failure, mqtt::EventPublisher, stop::Stop};

/// How long an event whose relay is in another process waits at most.
const POLL_INTERVAL: Duration = Duration::from_millis(200);
/// How long a publish may take.
const PUBLISH_TIMEOUT: Duration = Duration::from_secs(1);
/// How long the relay of a process that was killed is waited for: the events of its orders are that late.
const LEASE: Duration = Duration::from_millis(2_500);

/// Pools, and what stands on them. Clones share them.
pub(in crate::services) struct Engine<DB: Dialect + System> {
    pools: Pools<DB>,
    outbox: Outbox<DB>,
    inbox: Inbox<DB>,
}

/// Who uses which connections: so that nobody who reads waits for somebody who writes, and no request for the relay.
pub(super) struct Pools<DB: System> {
    pub(super) writer: Pool<DB>,
    pub(super) reader: Pool<DB>,
    /// What no trace shows: the relay, and tables being made.
    pub(super) relay: sqlx::Pool<DB>,
}

impl<DB: Dialect + System> Engine<DB> {
    /// Makes the tables of outbox and inbox, unless they are there.
    pub(super) async fn over(pools: Pools<DB>) -> Result<Self, OutboxError> {
        let engine = Self { pools, outbox: Outbox::new(), inbox: Inbox::new() };
        engine.outbox.create_tables(&engine.pools.relay).await?;
        engine.inbox.create_tables(&engine.pools.relay).await?;
        Ok(engine)
    }

    pub(super) const fn writer(&self) -> &Pool<DB> {
        &self.pools.writer
    }

    pub(super) const fn reader(&self) -> &Pool<DB> {
        &self.pools.reader
    }

    pub(super) const fn relay_pool(&self) -> &sqlx::Pool<DB> {
        &self.pools.relay
    }

    pub(super) const fn outbox(&self) -> &Outbox<DB> {
        &self.outbox
    }

    pub(super) const fn inbox(&self) -> &Inbox<DB> {
        &self.inbox
    }

    /// See [`Database::relay`](super::Database::relay).
    pub(super) async fn relay(&self, publisher: &Arc<EventPublisher>, stop: &Stop) -> Result<(), Failure> {
        let publish = async |event: &StoredEvent| publisher.publish_stored(event).await;
        let relay = Relay::builder(self.pools.relay.clone(), &self.outbox, publish)
            .poll_interval(POLL_INTERVAL)
            .publish_timeout(PUBLISH_TIMEOUT)
            .lease(LEASE)
            // The events of an order have an order; those of different orders have none.
            .order(Order::OfKeys)
            .build()?;
        let counters = relay.run(stop.wait()).await;
        tracing::info!(
            relayed = counters.relayed,
            failed = counters.failed,
            dead = counters.dead,
            "relay ended"
        );
        Ok(())
    }
}

impl<DB: Dialect + System> Clone for Engine<DB> {
    fn clone(&self) -> Self {
        Self { pools: self.pools.clone(), outbox: self.outbox.clone(), inbox: self.inbox.clone() }
    }
}

impl<DB: System> Clone for Pools<DB> {
    fn clone(&self) -> Self {
        Self { writer: self.writer.clone(), reader: self.reader.clone(), relay: self.relay.clone() }
    }
}

impl<DB: Dialect + System> fmt::Debug for Engine<DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").finish_non_exhaustive()
    }
}
