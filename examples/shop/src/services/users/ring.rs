//! Which shard owns a user.

use std::net::SocketAddr;

use throughline::resilience::shard::Shards;

use crate::services::client::{Http, Instance};

/// The shards of users. Their names decide, not their addresses: the same users are found on the same shards after each start.
pub(in crate::services) type Ring = Shards<Instance>;

/// How many shards the shop begins with.
pub(in crate::services) const SHARDS: usize = 3;

/// The ring of the shards at these addresses, in the order of their numbers.
pub(in crate::services) fn ring(addresses: &[SocketAddr], http: &Http) -> Ring {
    Shards::new(Instance::all("users", addresses, http))
}

/// The names of the shards that the shop begins with.
pub(super) fn first_ring() -> Shards<String> {
    Shards::new((1..=SHARDS).map(|number| format!("users-{number}")))
}

/// What decides where a user is.
pub(in crate::services) fn key(user: u32) -> String {
    format!("user-{user}")
}
