//! A service fails for a moment.

use std::error::Error;

use super::{Card, USER};
use crate::{
    arguments::Service,
    demo::{control::Faults, picture::Part, stage::Stage},
};

pub(super) const CARD: Card = Card {
    name: "retry",
    about: "users fails twice, orders asks again, and the customer notices nothing.",
    look_at: &[
        "each attempt is a span of its own, and the second and third say which resend they are",
        "`sending again` says how long orders waits, and why: longer each time, and never the same",
        "the answer is 201 all the same",
    ],
};

pub(super) async fn play(stage: &mut Stage) -> Result<(), Box<dyn Error>> {
    stage.step("users is told to fail the next 2 requests")?;
    stage.fault(Service::Users, Faults::fail_next(2)).await?;
    let outcome = stage.customer()?.order(USER).await?;
    // The other shards were told the same, and nobody has asked them.
    stage.fault(Service::Users, Faults::fail_next(0)).await?;
    stage.show_part(&outcome, Part::Only(&[Service::Gateway, Service::Orders, Service::Users])).await
}
