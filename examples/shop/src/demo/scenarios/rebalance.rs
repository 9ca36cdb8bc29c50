//! One more shard.

use std::{collections::BTreeMap, error::Error};

use serde_json::Value;

use super::Card;
use crate::{
    arguments::Service,
    demo::{customer::Outcome, fleet::Member, picture::Part, stage::Stage},
};

pub(super) const CARD: Card = Card {
    name: "rebalance",
    about: "A fourth shard of users is added while the shop is open; a quarter of the users move, and no others.",
    look_at: &[
        "the share of the users that moved: close to 1/4, where a remainder of the key would have moved 3/4",
        "the same user before and after: the shard on the span of orders is another one, and the answer is the same",
    ],
};

/// Users who order before and after; among so many, somebody moves.
const USERS: std::ops::RangeInclusive<u32> = 1..=16;
const PART: Part = Part::Only(&[Service::Gateway, Service::Orders, Service::Users]);

pub(super) async fn play(stage: &mut Stage) -> Result<(), Box<dyn Error>> {
    let before = orders(stage).await?;
    let others: Vec<_> = stage.fleet.members_of(Service::Users).collect();
    let new = stage.fleet.add(Service::Users).await?;
    stage
        .step(&format!("{new} is started; the {} others hand over what is no longer theirs", others.len()))?;
    let moved = hand_over(stage, &others).await?;
    stage.printer.line(&moved.sentence(others.len()))?;
    let after = orders(stage).await?;
    let Some(user) = first_moved(stage, &before, &after).await? else { return Ok(()) };
    for (when, orders) in [("before", &before), ("after", &after)] {
        if let Some(outcome) = orders.get(&user) {
            stage.step(&format!("user {user} {when}"))?;
            stage.show_part(outcome, PART).await?;
        }
    }
    Ok(())
}

async fn orders(stage: &Stage) -> Result<BTreeMap<u32, Outcome>, Box<dyn Error>> {
    let mut outcomes = BTreeMap::new();
    for user in USERS {
        outcomes.insert(user, stage.customer()?.order(user).await?);
    }
    Ok(outcomes)
}

/// First the rows go to their new owner, then whoever asks learns of it, and only then the old owners forget them: at each
/// moment whoever is asked has the answer.
async fn hand_over(stage: &Stage, shards: &[Member]) -> Result<Moved, Box<dyn Error>> {
    let (control, fleet) = (&stage.control, &stage.fleet);
    let mut moved = Moved { kept: 0, moved: 0 };
    for shard in shards {
        moved.add(&control.peers(fleet, *shard, Service::Users).await?);
    }
    for instance in fleet.members_of(Service::Orders) {
        control.peers(fleet, instance, Service::Users).await?;
    }
    for shard in shards {
        control.post(fleet.address(*shard)?, "forget-moved").await?;
    }
    Ok(moved)
}

/// How many users stayed where they were, and how many have another owner.
struct Moved {
    kept: u64,
    moved: u64,
}

impl Moved {
    fn add(&mut self, answer: &Value) {
        let number = |key| answer.get(key).and_then(Value::as_u64).unwrap_or_default();
        self.kept += number("kept");
        self.moved += number("moved");
    }

    fn sentence(&self, shards: usize) -> String {
        let Self { kept, moved } = self;
        let all = kept + moved;
        let percent = |part: f64, whole: f64| 100.0 * part / whole.max(1.0);
        format!(
            "{moved} of {all} users moved: {:.1} %; 1/({shards} + 1) is {:.1} %\n",
            percent(*moved as f64, all as f64),
            percent(1.0, shards as f64 + 1.0)
        )
    }
}

/// The first user whom another shard answered for; `None` where there are no traces to see it in.
async fn first_moved(
    stage: &Stage,
    before: &BTreeMap<u32, Outcome>,
    after: &BTreeMap<u32, Outcome>,
) -> Result<Option<u32>, Box<dyn Error>> {
    for (user, outcome) in before {
        let Some(later) = after.get(user) else { continue };
        if shard_of(stage, outcome).await? != shard_of(stage, later).await? {
            return Ok(Some(*user));
        }
    }
    if stage.has_traces() { Err("nobody moved".into()) } else { Ok(None) }
}

async fn shard_of(stage: &Stage, outcome: &Outcome) -> Result<Option<String>, Box<dyn Error>> {
    let Some(tree) = stage.trace_of(outcome).await? else { return Ok(None) };
    Ok(tree.spans().iter().find_map(|span| span.attribute("throughline.shard.id").map(ToString::to_string)))
}
