//! All scenarios, one after the other, in the same shop.

use std::error::Error;

use super::{Card, Scenario};
use crate::demo::stage::Stage;

pub(super) const CARD: Card = Card {
    name: "tour",
    about: "All scenarios, one after the other.",
    look_at: &["each pattern's page in docs/patterns, which quotes the lines that do it"],
};

/// What is on the tour: first what leaves the shop as it was.
const STOPS: [Scenario; 8] = [
    Scenario::Happy,
    Scenario::Retry,
    Scenario::Breaker,
    Scenario::Degraded,
    Scenario::InstanceDown,
    Scenario::EventRetry,
    Scenario::Replay,
    Scenario::Rebalance,
];

pub(super) async fn play(stage: &mut Stage) -> Result<(), Box<dyn Error>> {
    for stop in STOPS {
        Box::pin(stop.play(stage)).await?;
    }
    Ok(())
}
