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
//! [`route_sensitive`](Shards::route_sensitive). A call that is made within [`call`](Shards::call) has them on its own span,
//! too. The ring is the crate `hashring`; ours is what it tells.

use std::{
    fmt,
    future::Future,
    hash::{Hash, Hasher},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use hashring::HashRing;
use pin_project_lite::pin_project;
use siphasher::sip::SipHasher;
use throughline_core::{
    CallDecision, CallFact, CallFacts,
    semconv::own::{SHARD_ID, SHARD_KEY, SHARD_KEY_HASH, SHARD_TOTAL},
};

use crate::decision;

/// How many places a shard has on the ring: more of them even out the shares, and cost memory.
pub const PLACES: u32 = 256;

/// Shards of type `S`, each found by the keys that it owns; see [the module](mod@crate::shard).
#[derive(Clone)]
pub struct Shards<S> {
    ring: HashRing<Place>,
    shards: Vec<S>,
}

/// A shard stands at several places of the ring. The bytes of its name alone decide where, so that every process agrees,
/// whichever compiler built it.
#[derive(Clone, Debug, PartialEq)]
struct Place {
    name: Arc<str>,
    number: u32,
    shard: usize,
}

impl Hash for Place {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write(self.name.as_bytes());
        state.write(&self.number.to_le_bytes());
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
        let name: Arc<str> = shard.to_string().into();
        let place = |number| Place { name: Arc::clone(&name), number, shard: self.shards.len() };
        self.ring.batch_add((0..PLACES).map(place).collect());
        self.shards.push(shard);
    }

    /// The shard that owns `key`; `None` if there is none at all.
    pub fn route(&self, key: &str) -> Option<&S> {
        self.choose(key, Told::KeyAndHash)
    }

    /// The same for a key that is personal or secret: the span gets its hash only.
    pub fn route_sensitive(&self, key: &str) -> Option<&S> {
        self.choose(key, Told::Hash)
    }

    /// Lets `call` ask the shard that owns `key`; `None` if there is none at all.
    ///
    /// The span that the shard's client opens for the call is told of the choice, too.
    ///
    /// ```
    /// use throughline_resilience::shard::Shards;
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), &'static str> {
    /// let users = Shards::new(["users-0", "users-1", "users-2"]);
    /// let answer = users.call("user-4711", async |shard| format!("from {shard}")).ok_or("no shards")?.await;
    /// assert_eq!(Some(answer), users.route("user-4711").map(|shard| format!("from {shard}")));
    /// # Ok(()) }
    /// ```
    pub fn call<'a, F: Future>(&'a self, key: &str, call: impl FnOnce(&'a S) -> F) -> Option<ShardFuture<F>> {
        Some(ShardFuture::begin(self.find(key, Told::KeyAndHash)?, call))
    }

    /// The same for a key that is personal or secret: the spans get its hash only.
    pub fn call_sensitive<'a, F: Future>(
        &'a self,
        key: &str,
        call: impl FnOnce(&'a S) -> F,
    ) -> Option<ShardFuture<F>> {
        Some(ShardFuture::begin(self.find(key, Told::Hash)?, call))
    }

    /// The shard, for whoever asks it in a way of their own.
    fn choose(&self, key: &str, told: Told) -> Option<&S> {
        let (shard, facts) = self.find(key, told)?;
        decision::of_no_call(&facts);
        Some(shard)
    }

    /// The shard, and what the spans are told of the choice.
    fn find(&self, key: &str, told: Told) -> Option<(&S, CallFacts)> {
        let place = self.ring.get(&Key(key))?;
        let shard = self.shards.get(place.shard)?;
        let mut facts: Vec<CallFact> = vec![
            (SHARD_ID, Arc::clone(&place.name).into()),
            (SHARD_TOTAL, decision::number(self.shards.len())),
            (SHARD_KEY_HASH, hash_text(key).into()),
        ];
        if told == Told::KeyAndHash {
            facts.push((SHARD_KEY, Arc::<str>::from(key).into()));
        }
        Some((shard, facts.into()))
    }
}

pin_project! {
    /// The answer of a shard.
    ///
    /// # Cancel safety
    /// Dropped, it drops the call.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct ShardFuture<F> {
        #[pin]
        future: F,
        decision: CallDecision,
    }
}

impl<F> ShardFuture<F> {
    fn begin<'a, S>((shard, facts): (&'a S, CallFacts), call: impl FnOnce(&'a S) -> F) -> Self {
        let decision = CallDecision::new(facts);
        Self { future: decision.before(|| call(shard)), decision }
    }
}

impl<F: Future> Future for ShardFuture<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        this.decision.within(|| this.future.poll(cx))
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

/// A key, of which the bytes count and nothing else.
struct Key<'a>(&'a str);

impl Hash for Key<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write(self.0.as_bytes());
    }
}

/// What the span is told of a key.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Told {
    KeyAndHash,
    Hash,
}

/// The same digits for the same key everywhere (SipHash-2-4 without a secret): enough to see that two spans mean one key, and
/// not enough to hide a key that can be guessed.
fn hash_text(key: &str) -> Arc<str> {
    let mut hasher = SipHasher::new();
    Key(key).hash(&mut hasher);
    format!("{:016x}", hasher.finish()).into()
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

    /// What must never change: two builds of a service have to agree while one takes the other's place.
    #[test]
    fn the_ring_and_the_hashes_are_the_same_in_every_build() {
        let shards = shards(3);
        let keys = ["ann", "bob", "cai", "dan", "eve", "fay"];
        let owners = keys.map(|key| shards.route(key).unwrap().as_str());
        assert_eq!(owners, ["users-1", "users-0", "users-0", "users-0", "users-1", "users-0"]);
        assert_eq!(&*hash_text("ann"), "32c6e8810c943152");
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
