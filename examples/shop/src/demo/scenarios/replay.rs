//! The same events once more.

use std::{error::Error, time::Duration};

use super::Card;
use crate::{
    arguments::Service,
    demo::{
        customer::Outcome,
        fleet::{Fleet, Member, Word},
        picture::Part,
        stage::Stage,
    },
};

pub(super) const CARD: Card = Card {
    name: "replay",
    about: "All stored events go out again: consumers know them, and a read model that has lost everything is rebuilt.",
    look_at: &[
        "each consumer recognises the message by its id: it is acknowledged, and nothing is done twice",
        "after the reset the read model is empty; after the second replay it is what it was",
        "a replayed event still has the correlation id of the order that it tells of",
    ],
};

/// Nobody else orders for them.
const USER: u32 = 31;
/// How long all events may take.
const REPLAY_TIMEOUT: Duration = Duration::from_secs(30);
/// Who hears of a created order.
const CONSUMERS: [Service; 3] = [Service::Fulfilment, Service::RecentOrders, Service::Analytics];

pub(super) async fn play(stage: &mut Stage) -> Result<(), Box<dyn Error>> {
    let outcome = stage.customer()?.order(USER).await?;
    stage.settle(&outcome).await?;
    stage.show_recent_orders(USER).await?;
    stage.step("orders sends all its events again")?;
    replay(stage).await?;
    for consumer in CONSUMERS {
        heard(stage, &outcome, consumer, Word::Duplicate).await?;
    }
    stage
        .show_part(&outcome, Part::Only(&[Service::Gateway, Service::Orders, Service::RecentOrders]))
        .await?;
    stage.step("the read model forgets everything")?;
    let model = stage.fleet.address(Member::new(Service::RecentOrders, 1))?;
    stage.control.post(model, "reset").await?;
    stage.show_recent_orders(USER).await?;
    stage.step("orders sends all its events once more")?;
    let before = times(&stage.fleet, &outcome, Service::RecentOrders, Word::Done);
    replay(stage).await?;
    wait(stage, &outcome, Service::RecentOrders, Word::Done, before).await?;
    stage.show_recent_orders(USER).await
}

async fn replay(stage: &Stage) -> Result<(), Box<dyn Error>> {
    let orders = stage.fleet.address(Member::new(Service::Orders, 1))?;
    stage.control.post(orders, "replay").await?;
    Ok(())
}

/// Waits until a consumer has said so about the order at least once.
async fn heard(
    stage: &Stage,
    outcome: &Outcome,
    consumer: Service,
    word: Word,
) -> Result<(), Box<dyn Error>> {
    wait(stage, outcome, consumer, word, 0).await
}

async fn wait(
    stage: &Stage,
    outcome: &Outcome,
    consumer: Service,
    word: Word,
    before: u64,
) -> Result<(), Box<dyn Error>> {
    let order = outcome.order().ok_or("the order was refused")?;
    let what = format!("the replayed event reaches {}", consumer.name());
    stage
        .fleet
        .ledger()
        .wait_for(&what, REPLAY_TIMEOUT, |said| said.about(order, consumer, word) > before)
        .await
}

fn times(fleet: &Fleet, outcome: &Outcome, consumer: Service, word: Word) -> u64 {
    outcome.order().map_or(0, |order| fleet.ledger().read(|said| said.about(order, consumer, word)))
}
