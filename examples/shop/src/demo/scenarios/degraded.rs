//! A service is slow, and nobody waits for it.

use std::error::Error;

use super::{Card, USER};
use crate::{
    arguments::Service,
    demo::{control::Faults, picture::Part, stage::Stage},
};

pub(super) const CARD: Card = Card {
    name: "degraded",
    about: "recommendations is slow; the gateway's time limit passes, and the customer gets an answer without them.",
    look_at: &[
        "the call to recommendations ends at the gateway's time limit, long before recommendations itself would have answered",
        "`answered by a fallback` says what is missing and why, and the answer's header `x-degraded` tells the customer",
        "the order itself is accepted",
    ],
};

/// Longer than the gateway waits.
const DELAY_MS: u32 = 3_000;

pub(super) async fn play(stage: &mut Stage) -> Result<(), Box<dyn Error>> {
    stage.step("recommendations is told to answer the next request 3 seconds late")?;
    stage.fault(Service::Recommendations, Faults::delay_next(DELAY_MS)).await?;
    let outcome = stage.customer()?.order(USER).await?;
    stage.show_part(&outcome, Part::Only(&[Service::Gateway, Service::Recommendations])).await
}
