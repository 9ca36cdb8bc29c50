//! Events that do not get through at once, and one that never does.

use std::error::Error;

use super::Card;
use crate::{
    arguments::Service,
    demo::{control::Faults, picture::Part, stage::Stage},
};

pub(super) const CARD: Card = Card {
    name: "event-retry",
    about: "Publishing fails twice, then a consumer fails for good; the customer notices neither.",
    look_at: &[
        "the customer's answer: 201 at once, while the event still waits in the outbox",
        "the read model says how old it is: the order is missing right after the answer, and there a moment later",
        "each attempt to handle the message is a span of its own; after the last one it goes to `order.created.dead`, \
         where somebody can look at it",
    ],
};

/// Nobody else orders for them, so that their recent orders tell of this alone.
const PATIENT: u32 = 21;
const UNLUCKY: u32 = 22;
/// More often than a consumer tries.
const FOR_GOOD: u32 = 1_000;

pub(super) async fn play(stage: &mut Stage) -> Result<(), Box<dyn Error>> {
    publish_fails_twice(stage).await?;
    consumer_fails_for_good(stage).await
}

async fn publish_fails_twice(stage: &mut Stage) -> Result<(), Box<dyn Error>> {
    stage.step("the relay of orders is told to fail the next 2 times that it publishes")?;
    stage.fault(Service::Orders, Faults::publish_fail_next(2)).await?;
    let outcome = stage.customer()?.order(PATIENT).await?;
    stage.show_recent_orders(PATIENT).await?;
    stage
        .show_part(&outcome, Part::Only(&[Service::Gateway, Service::Orders, Service::RecentOrders]))
        .await?;
    stage.fault(Service::Orders, Faults::publish_fail_next(0)).await?;
    stage.show_recent_orders(PATIENT).await
}

async fn consumer_fails_for_good(stage: &mut Stage) -> Result<(), Box<dyn Error>> {
    stage.step("fulfilment is told to fail for good")?;
    stage.fault(Service::Fulfilment, Faults::fail_next(FOR_GOOD)).await?;
    let outcome = stage.customer()?.order(UNLUCKY).await?;
    stage.show_part(&outcome, Part::Only(&[Service::Gateway, Service::Orders, Service::Fulfilment])).await?;
    stage.fault(Service::Fulfilment, Faults::fail_next(0)).await
}
