//! What outbox, relay and inbox keep, whatever the database.
//!
//! Each part has tables of its own, so that one database is enough for all.

mod delivery; // order, attempts, death, replay
mod place; // the database
mod recipient; // what a relay hands events to
mod store;
mod story; // spans, links, correlation id, baggage // together with the write, or not at all

pub(crate) use place::Place;

/// Runs every part.
pub(crate) async fn keeps<P: Place>(place: &P) {
    store::keeps(place).await;
    story::keeps(place).await;
    delivery::keeps(place).await;
}
