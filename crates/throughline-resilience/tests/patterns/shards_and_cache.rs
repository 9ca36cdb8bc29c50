//! Shards, and cached reads one after the other.

use std::{io, time::Duration};

use throughline_resilience::{
    cache::{Cached, Freshness},
    shard::Shards,
};
use throughline_testing::Capture;

use crate::told::told;

#[tokio::test]
async fn a_shard_is_told_and_a_sensitive_key_is_not() {
    let capture = Capture::new("orders");
    let _guard = capture.install();
    let users = Shards::new(["users-0", "users-1", "users-2"]);
    let (_, open) = told(&capture, async { users.route("user-7") }).await;
    assert!(open.contains("shard.key=user-7 shard.key_hash=") && open.ends_with("shard.total=3"), "{open}");
    let (_, sensitive) = told(&capture, async { users.route_sensitive("ada@example.org") }).await;
    assert!(sensitive.contains("shard.key_hash=") && !sensitive.contains("ada"), "{sensitive}");
}

#[tokio::test]
async fn a_cached_read_is_a_miss_a_hit_or_stale() {
    let capture = Capture::new("orders");
    let _guard = capture.install();
    let ttl = Duration::from_millis(30);
    let cache: Cached<u64, u64> =
        Cached::<u64, u64>::builder("recent-orders").ttl(ttl).stale_for(Duration::from_secs(60)).build();
    let fine = async || Ok::<_, io::Error>(1);
    let broken = async || Err::<u64, _>(io::Error::other("down"));
    let (read, text) = told(&capture, cache.get(7, fine)).await;
    assert_eq!(
        (read.unwrap().freshness(), text.as_str()),
        (Freshness::Miss, "cache.name=recent-orders cache.result=miss")
    );
    let deadline = tokio::time::Instant::now() + Duration::from_secs(10);
    while cache.get(7, broken).await.unwrap().freshness() == Freshness::Hit {
        assert!(tokio::time::Instant::now() < deadline);
        tokio::task::yield_now().await;
    }
    assert_eq!(cache.get(7, broken).await.unwrap().freshness(), Freshness::Stale);
    assert_eq!(cache.get(7, fine).await.unwrap().freshness(), Freshness::Miss);
    cache.forget(&7).await;
    assert!(cache.get(7, broken).await.is_err());
}
