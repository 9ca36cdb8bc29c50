//! What outbox, relay and inbox keep, whatever the database.
//!
//! Each part has tables of its own, so that one database is enough for all.

mod cleaning; // old rows
mod closure; // what publishes
mod crash; // what is left behind by a relay that is gone
mod death; // no attempt is left
mod delivery; // order, attempts, death, replay
mod garbage; // rows that nobody has stored
mod inbox; // once, however often
mod lease; // who relays
mod oracle; // random failures and deaths against what was acknowledged
mod place; // the database
pub(crate) mod recipient; // what a relay hands events to
mod store; // together with the write, or not at all
mod story; // spans, links, correlation id, baggage

pub(crate) use place::Place;

use throughline_testing::Capture;
use tracing::subscriber::DefaultGuard;

/// A subscriber for this thread, for tests that don't look at what it captures.
///
/// Where there is one subscriber in the whole process, `tracing` lets whichever thread comes first to a place in the code decide
/// for all whether a span there is wanted. A thread without a subscriber says no, and another test misses its spans.
pub(crate) fn somebody_listens() -> DefaultGuard {
    Capture::new("orders").install()
}

/// Runs every part.
pub(crate) async fn keeps<P: Place>(place: &P) {
    let _guard = somebody_listens();
    store::keeps(place).await;
    story::keeps(place).await;
    delivery::keeps(place).await;
    cleaning::keeps(place).await;
    closure::keeps(place).await;
    crash::keeps(place).await;
    death::keeps(place).await;
    lease::keeps(place).await;
    garbage::keeps(place).await;
    inbox::keeps(place).await;
    oracle::keeps(place).await;
}
