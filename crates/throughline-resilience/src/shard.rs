//! Which shard owns a key.
//!
//! [`Shards`] is a consistent hash ring: the same key finds the same shard in every process and after every restart, and
//! adding a shard to N moves about one key in N + 1, all of them to the new shard.
//!
//! ```
//! use throughline_resilience::shard::Shards;
//!
//! let users = Shards::new(["users-0", "users-1", "users-2"]);
//! let shard = users.route("user-4711").ok_or("there are no shards")?;
//! assert_eq!(users.route("user-4711"), Some(shard));
//! # Ok::<(), &str>(())
//! ```
//!
//! On the caller's span: `throughline.shard.id`, `.total` and `.key_hash`, and the key itself unless it is routed with
//! [`route_sensitive`](Shards::route_sensitive). The ring is the crate `hashring`; ours is what it tells.

use std::{
    fmt,
    hash::{DefaultHasher, Hash, Hasher},
};

use hashring::HashRing;
use throughline_core::semconv::own::{SHARD_ID, SHARD_KEY, SHARD_KEY_HASH, SHARD_TOTAL};

use crate::decision;

/// How many places a shard has on the ring: more of them even out the shares, and cost memory.
pub const PLACES: u32 = 256;

/// Shards of type `S`, each found by the keys that it owns; see [the module](mod@crate::shard).
#[derive(Clone)]
pub struct Shards<S> {
    ring: HashRing<Place>,
    shards: Vec<S>,
}

/// A shard stands at several places of the ring. Its name alone decides where, so that every process agrees.
#[derive(Clone, Debug, PartialEq)]
struct Place {
    name: String,
    number: u32,
    shard: usize,
}

impl Hash for Place {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
        self.number.hash(state);
    }
}

impl<S: fmt::Display> Shards<S> {
    /// Shards whose places follow from their names.
    pub fn new(shards: impl IntoIterator<Item = S>) -> Self {
        let mut new = Self { ring: HashRing::new(), shards: Vec::new() };
        shards.into_iter().for_each(|shard| new.add(shard));
        new
    }

    /// Adds a shard, which takes its keys from all the others.
    pub fn add(&mut self, shard: S) {
        let name = shard.to_string();
        let place = |number| Place { name: name.clone(), number, shard: self.shards.len() };
        self.ring.batch_add((0..PLACES).map(place).collect());
        self.shards.push(shard);
    }

    /// The shard that owns `key`; `None` if there is none at all.
    pub fn route(&self, key: &str) -> Option<&S> {
        self.find(key, Told::KeyAndHash)
    }

    /// The same for a key that is personal or secret: the span gets its hash only.
    pub fn route_sensitive(&self, key: &str) -> Option<&S> {
        self.find(key, Told::Hash)
    }

    fn find(&self, key: &str, told: Told) -> Option<&S> {
        let place = self.ring.get(&key)?;
        let (hash, total) = (hash_text(key), self.shards.len());
        let mut attributes = vec![
            (SHARD_ID, place.name.as_str().into()),
            (SHARD_TOTAL, u64::try_from(total).unwrap_or(u64::MAX).into()),
            (SHARD_KEY_HASH, hash.as_str().into()),
        ];
        if told == Told::KeyAndHash {
            attributes.push((SHARD_KEY, key.into()));
        }
        decision::on_span(&attributes);
        self.shards.get(place.shard)
    }
}

impl<S> Shards<S> {
    /// All shards, in the order in which they were added.
    pub fn iter(&self) -> impl Iterator<Item = &S> {
        self.shards.iter()
    }

    /// How many shards there are.
    pub fn len(&self) -> usize {
        self.shards.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.shards.is_empty()
    }
}

impl<S: fmt::Debug> fmt::Debug for Shards<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.shards).finish()
    }
}

/// What the span is told of a key.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Told {
    KeyAndHash,
    Hash,
}

/// The same digits for the same key within one build: enough to see that two spans mean one key.
fn hash_text(key: &str) -> String {
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEYS: u32 = 20_000;

    fn owners(shards: &Shards<String>) -> Vec<String> {
        (0..KEYS).map(|key| shards.route(&format!("user-{key}")).unwrap().clone()).collect()
    }

    fn shards(count: u32) -> Shards<String> {
        Shards::new((0..count).map(|number| format!("users-{number}")))
    }

    #[test]
    fn a_new_shard_takes_its_share_and_nothing_else_moves() {
        for count in [1, 2, 3, 5, 10] {
            let mut shards = shards(count);
            let before = owners(&shards);
            shards.add("users-new".to_owned());
            let after = owners(&shards);
            let moved: Vec<_> = before.iter().zip(&after).filter(|(before, after)| before != after).collect();
            assert!(moved.iter().all(|(_, after)| *after == "users-new"), "only the new shard gains keys");
            let share = moved.len() as f64 / f64::from(KEYS);
            let fair = 1.0 / f64::from(count + 1);
            assert!(
                (share / fair - 1.0).abs() < 0.25,
                "{count} + 1 shards: {share:.3} of the keys moved, not {fair:.3}"
            );
        }
    }

    #[test]
    fn shares_are_even() {
        let shards = shards(4);
        let owners = owners(&shards);
        for shard in shards.iter() {
            let share = owners.iter().filter(|owner| *owner == shard).count() as f64 / f64::from(KEYS);
            assert!((share / 0.25 - 1.0).abs() < 0.25, "{shard} has {share:.3} of the keys");
        }
    }

    #[test]
    fn the_order_of_adding_does_not_matter() {
        let (forward, backward) = (Shards::new(["a", "b", "c"]), Shards::new(["c", "b", "a"]));
        assert!((0..1_000).all(|key| forward.route(&key.to_string()) == backward.route(&key.to_string())));
        assert_eq!(Shards::<&str>::new([]).route("any"), None);
    }
}
