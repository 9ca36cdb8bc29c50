//! An instance is gone, and comes back.

use std::{error::Error, time::Duration};

use throughline_receiver::SpanKind;
use throughline_testing::SpanTree;
use tokio::time::timeout;

use super::{Card, USER};
use crate::{
    arguments::Service,
    demo::{
        customer::Outcome,
        fleet::{Killed, Member, ORDERS_INSTANCES},
        picture::Part,
        stage::Stage,
    },
};

pub(super) const CARD: Card = Card {
    name: "instance-down",
    about: "orders-2 is killed; the balancer passes over it until it is back.",
    look_at: &[
        "the first order after the kill: the call to orders-2 fails, and is sent again to the next instance",
        "then `2 of 3 healthy`: orders-2 gets no calls, though it has its turn",
        "after the restart `3 of 3 healthy`, and orders-2 has its turn again",
    ],
};

const DOWN: Member = Member::new(Service::Orders, 2);
const PART: Part = Part::Only(&[Service::Gateway, Service::Orders]);
/// How long the balancer may take to see a change.
const NOTICE_TIMEOUT: Duration = Duration::from_secs(20);
/// Orders that are sent at most until one meets the dead instance before the balancer's own probe does.
const TRIES_MAX: u32 = 10;

pub(super) async fn play(stage: &mut Stage) -> Result<(), Box<dyn Error>> {
    stage.step("orders-2 is killed; its turn comes before the balancer has noticed")?;
    let (outcome, killed) = kill_and_meet(stage).await?;
    stage.show_part(&outcome, PART).await?;
    stage.step("the balancer has noticed")?;
    let outcome = order_once(stage, "orders-1", "2").await?;
    stage.show_part(&outcome, PART).await?;
    stage.step("orders-2 is started again, at its old address")?;
    stage.fleet.restart(killed).await?;
    let outcome = order_once(stage, "orders-2", "3").await?;
    stage.show_part(&outcome, PART).await
}

/// Kills the instance, and orders until an order has met it. The balancer probes its instances now and then, and may notice
/// before any order does: then once more.
async fn kill_and_meet(stage: &mut Stage) -> Result<(Outcome, Killed), Box<dyn Error>> {
    for _ in 0..TRIES_MAX {
        let killed = stage.fleet.kill(DOWN).await?;
        let mut round = Vec::new();
        for _ in 0..ORDERS_INSTANCES {
            round.push(stage.customer()?.order(USER).await?);
        }
        for outcome in round {
            if stage.trace_of(&outcome).await?.is_none_or(|tree| has_failed_call(&tree)) {
                return Ok((outcome, killed));
            }
        }
        stage.fleet.restart(killed).await?;
        order_once(stage, "orders-2", "3").await?;
    }
    Err(format!("in {TRIES_MAX} tries no order met the killed instance").into())
}

fn has_failed_call(tree: &SpanTree) -> bool {
    let calls = tree.spans().iter().filter(|span| span.kind == SpanKind::Client);
    calls.into_iter().any(|span| span.service() == Service::Gateway.name() && span.status.is_error())
}

/// Orders until the balancer chooses `instance` while so many are healthy, which it does once it has noticed.
async fn order_once(stage: &Stage, instance: &str, healthy: &str) -> Result<Outcome, Box<dyn Error>> {
    let orders = async {
        loop {
            let outcome = stage.customer()?.order(USER).await?;
            let Some(tree) = stage.trace_of(&outcome).await? else { return Ok(outcome) };
            let is_there = tree.spans().iter().any(|span| {
                span.attribute("throughline.balance.instance").is_some_and(|name| *name == *instance)
                    && span.attribute("throughline.balance.healthy").map(ToString::to_string).as_deref()
                        == Some(healthy)
            });
            if is_there {
                return Ok(outcome);
            }
        }
    };
    timeout(NOTICE_TIMEOUT, orders)
        .await
        .map_err(|_| format!("the balancer saw no {healthy} healthy instances within {NOTICE_TIMEOUT:?}"))?
}
