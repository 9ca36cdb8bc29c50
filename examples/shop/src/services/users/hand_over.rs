//! Giving rows to their new owner.

use std::collections::BTreeMap;

use axum::http::Method;
use throughline::{Context, SpanExt, core::with_remote, resilience::retry};
use tower::{ServiceBuilder, ServiceExt};
use tracing::{Instrument, info, info_span};

use super::{
    ring::{Ring, key},
    store::{BATCH_MAX, Store},
};
use crate::services::{
    Failure,
    client::{Instance, send},
    order::User,
};

/// What became of the rows of a shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Handed {
    /// How many stayed where they were.
    pub(super) kept: i64,
    /// How many have another owner.
    pub(super) moved: usize,
}

/// Hands over what the shard called `name` no longer owns. Whatever fails halfway can be done again.
///
/// The back door has no trace, and this is worth one: it begins here.
pub(super) async fn hand_over(store: &Store, ring: &Ring, name: &str) -> Result<Handed, Failure> {
    let leaving = leaving(store.own().await?, ring, name);
    let span = with_remote(&Context::root(), || info_span!("hand over users"));
    async {
        let moved = leaving.values().map(|(_, users)| users.len()).sum();
        for (owner, users) in leaving.values() {
            for batch in users.chunks(BATCH_MAX) {
                give(owner, batch).await?;
                store.moved(batch).await?;
            }
        }
        let handed = Handed { kept: store.kept().await?, moved };
        span.set_attribute("shop.kept", handed.kept).set_attribute("shop.moved", handed.moved);
        info!(kept = handed.kept, moved = handed.moved, "users handed over");
        Ok(handed)
    }
    .instrument(span.clone())
    .await
}

/// Who goes where, by the name of the new owner.
fn leaving(own: Vec<User>, ring: &Ring, name: &str) -> BTreeMap<String, (Instance, Vec<User>)> {
    let mut leaving = BTreeMap::new();
    for user in own {
        let Some(owner) = ring.route(&key(user.id)).filter(|owner| owner.name() != name) else { continue };
        let (_, users) =
            leaving.entry(owner.name().to_owned()).or_insert_with(|| (owner.clone(), Vec::new()));
        users.push(user);
    }
    leaving
}

async fn give(owner: &Instance, users: &[User]) -> Result<(), Failure> {
    let call = send(Method::PUT, "/users", &users, [])?;
    let client = ServiceBuilder::new().layer(retry::layer("users")).service(owner.clone());
    let answer = client.oneshot(call).await?;
    if answer.status().is_success() {
        Ok(())
    } else {
        Err(format!("{owner} does not take users over: {}", answer.status()).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::services::{client::Http, users::ring};

    const USERS: u32 = 1_000;

    fn addresses(count: u16) -> Vec<std::net::SocketAddr> {
        (1..=count).map(|port| ([127, 0, 0, 1], port).into()).collect()
    }

    fn users() -> Vec<User> {
        (1..=USERS).map(|id| User { id, name: String::new() }).collect()
    }

    #[tokio::test]
    async fn what_leaves_goes_to_its_owner_and_what_stays_is_left_alone() {
        let http = Http::new();
        let (three, four) = (ring(&addresses(3), &http), ring(&addresses(4), &http));
        let mut moved = 0;
        for name in ["users-1", "users-2", "users-3"] {
            let owns = |ring: &Ring, id| ring.route(&key(id)).is_some_and(|owner| owner.name() == name);
            let own: Vec<_> = users().into_iter().filter(|user| owns(&three, user.id)).collect();
            let leaving = leaving(own.clone(), &four, name);
            assert!(leaving.keys().all(|owner| owner == "users-4"), "nothing moves between old shards");
            let gone: Vec<_> = leaving.into_values().flat_map(|(_, users)| users).collect();
            let stays = own.iter().filter(|user| !gone.contains(user));
            assert!(stays.into_iter().all(|user| owns(&four, user.id)));
            moved += gone.len();
        }
        let share = moved as f64 / f64::from(USERS);
        assert!((0.15..0.35).contains(&share), "{share}");
    }

    #[tokio::test]
    async fn who_is_not_in_the_ring_gives_everything_away() {
        let ring = ring(&addresses(2), &Http::new());
        let leaving = leaving(users(), &ring, "users-3");
        assert_eq!(leaving.values().map(|(_, users)| users.len()).sum::<usize>(), users().len());
    }
}
