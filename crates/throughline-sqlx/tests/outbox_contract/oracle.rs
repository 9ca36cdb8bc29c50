//! Random failures and deaths against a list of what was acknowledged.
//!
//! Whatever happens: every event that was committed is taken at least once, none is taken that was not, and no event is shown
//! to the recipient before an elder of its key was taken.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex},
    time::Duration,
};

use throughline_core::Carry;
use throughline_sqlx::outbox::{Backoff, Event, Order, Outbox, Relay, RelayCounters, StoredEvent};
use tokio::task::JoinHandle;
use uuid::Uuid;

use super::{
    Place,
    recipient::{Refused, until},
};

const EVENTS: usize = 60;
const KEYS: u64 = 4;
const RELAYS: usize = 3;

pub(crate) async fn keeps<P: Place>(place: &P) {
    for seed in 1..=3 {
        for order in [Order::OfAll, Order::OfKeys] {
            nothing_is_lost_invented_or_out_of_order(place, order, seed).await;
        }
    }
}

/// What the recipient has seen.
#[derive(Debug, Default)]
struct Seen {
    /// What was shown to it, and whether it was taken.
    attempts: Vec<(Uuid, bool)>,
    taken: HashSet<Uuid>,
}

async fn nothing_is_lost_invented_or_out_of_order<P: Place>(place: &P, order: Order, seed: u64) {
    let outbox =
        place.outbox(&format!("oracle_{seed}_{}", if order == Order::OfAll { "all" } else { "keys" })).await;
    let seen = Arc::new(Mutex::new(Seen::default()));
    let mut random = Random(seed);
    let mut relays: Vec<_> =
        (0..RELAYS).map(|one| start(place, &outbox, order, &seen, seed + one as u64)).collect();
    let mut acknowledged: Vec<(Uuid, u64)> = Vec::new();
    for _ in 0..EVENTS {
        let key = random.below(KEYS);
        if let Some(id) = store(place, &outbox, key, random.below(5) > 0).await {
            acknowledged.push((id, key));
        }
        if random.below(12) == 0 {
            let victim = relays.swap_remove(usize::try_from(random.below(RELAYS as u64)).unwrap());
            victim.abort();
            assert!(victim.await.unwrap_err().is_cancelled());
            relays.push(start(place, &outbox, order, &seen, random.next()));
        }
    }
    let all: HashSet<Uuid> = acknowledged.iter().map(|(id, _)| *id).collect();
    until("every event is taken", || seen.lock().unwrap().taken.len() >= all.len()).await;
    for relay in relays {
        relay.abort();
        assert!(relay.await.unwrap_err().is_cancelled());
    }
    let seen = seen.lock().unwrap();
    assert_eq!(seen.taken, all, "seed {seed}");
    assert_in_order(&seen, &acknowledged, order, seed);
}

/// Stores an event, and says its id if that was committed.
async fn store<P: Place>(place: &P, outbox: &Outbox<P::DB>, key: u64, commits: bool) -> Option<Uuid> {
    let mut transaction = place.begin().await;
    let event = Event::new("order.created", "x").key(format!("key-{key}"));
    let id = outbox.store(&mut transaction, event).await.unwrap();
    if commits {
        transaction.commit().await.unwrap();
        outbox.wake();
        return Some(id);
    }
    transaction.rollback().await.unwrap();
    None
}

/// A relay whose recipient refuses a third of what it is shown, and now and then takes an event without ever saying so.
fn start<P: Place>(
    place: &P,
    outbox: &Outbox<P::DB>,
    order: Order,
    seen: &Arc<Mutex<Seen>>,
    seed: u64,
) -> JoinHandle<RelayCounters> {
    let (seen, random) = (Arc::clone(seen), Mutex::new(Random(seed)));
    let publish = async move |event: &StoredEvent| {
        // A recipient far away: others get their turn.
        tokio::task::yield_now().await;
        let chance = random.lock().unwrap().below(30);
        let takes = chance >= 10;
        {
            let mut seen = seen.lock().unwrap();
            seen.attempts.push((event.id(), takes));
            if takes {
                seen.taken.insert(event.id());
            }
        }
        match chance {
            0..10 => Err(Refused),
            10 => std::future::pending().await,
            _ => Ok(()),
        }
    };
    let relay = Relay::builder(place.pool().clone(), outbox, publish)
        .order(order)
        .lease(Duration::from_millis(150))
        .publish_timeout(Duration::from_millis(50))
        .poll_interval(Duration::from_millis(5))
        .attempts_max(u32::MAX)
        .backoff(Backoff::new(Duration::from_millis(1), Duration::from_millis(3)))
        .batch_max(7)
        .build()
        .unwrap();
    tokio::spawn(relay.run(std::future::pending()).carry())
}

/// Before an event is shown for the first time, all its elders were taken: those of its key, or of the whole outbox.
fn assert_in_order(seen: &Seen, acknowledged: &[(Uuid, u64)], order: Order, seed: u64) {
    let places: HashMap<Uuid, usize> =
        acknowledged.iter().enumerate().map(|(place, (id, _))| (*id, place)).collect();
    let mut taken = HashSet::new();
    for (id, takes) in &seen.attempts {
        let place = places[id];
        let key = acknowledged[place].1;
        for (elder, elders_key) in &acknowledged[..place] {
            let matters = order == Order::OfAll || *elders_key == key;
            assert!(
                !matters || taken.contains(elder),
                "seed {seed}: {id} was shown before {elder} was taken"
            );
        }
        if *takes {
            taken.insert(*id);
        }
    }
}

/// A small generator, so that a seed tells the whole story (xorshift64*).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 1
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
}
