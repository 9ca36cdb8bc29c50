//! A service is down, and is left alone until it may be well again.

use std::{error::Error, time::Duration};

use super::{Card, USER};
use crate::{
    arguments::Service,
    demo::{control::Faults, picture::Part, stage::Stage},
};

pub(super) const CARD: Card = Card {
    name: "breaker",
    about: "recommendations is down; after five failures the gateway stops asking it, and tries again later.",
    look_at: &[
        "`breaker opened` with the fifth failure, and only then",
        "a call that is rejected has no span below it: nothing was sent, nobody was waited for",
        "after two seconds the breaker lets three calls through on trial; all succeed, and it closes",
        "every order was accepted: what is missing is the recommendations",
    ],
};

/// How often a service must fail in a row.
const FAILURES: u32 = 5;
/// How long the gateway's breaker stays open, and a little more.
const OPEN_FOR: Duration = Duration::from_millis(2_100);
/// How many calls are let through on trial.
const TRIALS: u32 = 3;
/// The part of a trace that this is about.
const PART: Part = Part::Only(&[Service::Gateway, Service::Recommendations]);

pub(super) async fn play(stage: &mut Stage) -> Result<(), Box<dyn Error>> {
    stage.step(&format!("recommendations is told to fail the next {FAILURES} requests"))?;
    stage.fault(Service::Recommendations, Faults::fail_next(FAILURES)).await?;
    stage.step(&format!("{} orders; the last of {FAILURES} failures opens the breaker", FAILURES - 1))?;
    orders(stage, FAILURES - 1).await?;
    show_one(stage).await?;
    stage.step("it is open")?;
    show_one(stage).await?;
    stage.step("two seconds later it lets calls through on trial")?;
    tokio::time::sleep(OPEN_FOR).await;
    show_one(stage).await?;
    stage.step(&format!("the last of {TRIALS} closes it"))?;
    orders(stage, TRIALS - 2).await?;
    show_one(stage).await?;
    stage.step("it is closed")?;
    show_one(stage).await
}

/// Orders that nobody looks at.
async fn orders(stage: &Stage, number: u32) -> Result<(), Box<dyn Error>> {
    for _ in 0..number {
        stage.customer()?.order(USER).await?;
    }
    Ok(())
}

async fn show_one(stage: &mut Stage) -> Result<(), Box<dyn Error>> {
    let outcome = stage.customer()?.order(USER).await?;
    stage.show_part(&outcome, PART).await
}
