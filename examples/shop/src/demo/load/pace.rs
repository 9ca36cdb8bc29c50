//! Orders at a steady rate, whether the shop keeps up or not.

use std::{collections::BTreeMap, error::Error, fmt, str::FromStr, sync::Arc, time::Duration};

use tokio::{
    sync::Semaphore,
    task::JoinSet,
    time::{Instant, MissedTickBehavior, interval},
};

use super::{Answers, Load, Progress};
use crate::{
    arguments::Service,
    demo::{
        fleet::{Member, ORDERS_INSTANCES},
        stage::Stage,
    },
};

/// How many orders may wait for their answer at the same time; more are sent later, and their time runs nevertheless.
const IN_FLIGHT_MAX: usize = 512;
/// How many users order in turn.
const USERS: u32 = 1_000;
/// How fast orders can be sent, a second.
const RATE_MIN: f64 = 0.1;
const RATE_MAX: f64 = 10_000.0;

/// How many orders a second.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Rate(f64);

/// Sends all orders; each has its time of departure whatever became of those before, and its answer's time counts from there.
pub(super) async fn send(
    stage: &mut Stage,
    load: Load,
    progress: &mut Progress,
) -> Result<Answers, Box<dyn Error>> {
    let (customer, places) = (stage.customer()?, Arc::new(Semaphore::new(IN_FLIGHT_MAX)));
    let (mut answers, mut under_way, mut kills) = (Answers::default(), JoinSet::new(), kills(load));
    let mut departures = interval(load.rate.period());
    departures.set_missed_tick_behavior(MissedTickBehavior::Burst);
    for number in 1..=load.orders {
        let departure = departures.tick().await;
        if let Some(member) = kills.remove(&number) {
            let _is_not_started_again = stage.fleet.kill(member).await?;
            progress.say(&format!("{member} is killed after {number} orders"));
        }
        let place = Arc::clone(&places).acquire_owned().await?;
        let customer = customer.clone();
        under_way.spawn(async move {
            let answer = customer.order(number % USERS + 1).await;
            drop(place);
            (departure.elapsed(), answer)
        });
        while let Some(answered) = under_way.try_join_next() {
            answers.note(answered?);
        }
        progress.show(&answers);
    }
    while let Some(answered) = under_way.join_next().await {
        answers.note(answered?);
        progress.show(&answers);
    }
    progress.end();
    answers.took(Instant::now());
    Ok(answers)
}

/// Which instance is killed after how many orders: evenly spread, the last instance first.
fn kills(load: Load) -> BTreeMap<u32, Member> {
    let instances = (1..=ORDERS_INSTANCES).rev().map(|instance| Member::new(Service::Orders, instance));
    (1..=load.kill).map(|place| (load.orders / (load.kill + 1)).max(1) * place).zip(instances).collect()
}

impl Rate {
    fn period(self) -> Duration {
        Duration::from_secs_f64(1.0 / self.0)
    }
}

impl FromStr for Rate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.parse() {
            Ok(rate) if (RATE_MIN..=RATE_MAX).contains(&rate) => Ok(Self(rate)),
            _ => Err(format!("orders a second, from {RATE_MIN} to {RATE_MAX}, are wanted, not {text:?}")),
        }
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kills_are_spread_over_the_load() {
        let load = Load { orders: 300, rate: Rate(100.0), kill: 2 };
        let expected = [(100, Member::new(Service::Orders, 3)), (200, Member::new(Service::Orders, 2))];
        assert_eq!(kills(load).into_iter().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn rates_are_strict() {
        for bad in ["", "0", "-1", "nan", "inf", "10001", "fast"] {
            assert!(bad.parse::<Rate>().is_err(), "{bad}");
        }
        assert_eq!("50".parse::<Rate>().unwrap().period(), Duration::from_millis(20));
    }
}
