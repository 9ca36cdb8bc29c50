//! Nothing goes wrong.

use std::error::Error;

use super::{Card, USER};
use crate::demo::stage::Stage;

pub(super) const CARD: Card = Card {
    name: "happy",
    about: "One order through all services, as one trace.",
    look_at: &[
        "the gateway's choice of an instance of orders, and the choice of a shard of users by the key of the user",
        "the database calls of one transaction: the order, the stock, and the event in the outbox",
        "what happens after the answer: the event reaches fulfilment, the read model and analytics, in the same trace",
    ],
};

pub(super) async fn play(stage: &mut Stage) -> Result<(), Box<dyn Error>> {
    let outcome = stage.customer()?.order(USER).await?;
    stage.show(&outcome).await
}
