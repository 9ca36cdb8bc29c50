//! Cached reads on several threads: what must hold whoever comes first.

use std::{
    convert::Infallible,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use throughline_resilience::cache::Cached;
use tokio::{sync::Barrier, task::JoinSet, time::timeout};

/// Three threads, and readers that give up in between.
#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_key_is_never_loaded_twice_at_a_time() {
    let cache: Cached<u32, u32> = Cached::<u32, u32>::builder("orders").ttl(Duration::ZERO).build();
    let under_way = Arc::new(AtomicU32::new(0));
    let mut tasks = JoinSet::new();
    for reader in 0..12_u32 {
        let (cache, under_way) = (cache.clone(), Arc::clone(&under_way));
        tasks.spawn(async move {
            for round in 0..300_u32 {
                let load = async || {
                    let load = UnderWay::begin(&under_way);
                    tokio::task::yield_now().await;
                    drop(load);
                    if round % 3 == 0 { Err("down") } else { Ok(round) }
                };
                let read = cache.get(7, load);
                if (reader + round) % 5 == 0 {
                    let mut read = pin!(read);
                    tokio::select! {
                        biased;
                        _ = &mut read => {}
                        () = tokio::task::yield_now() => {}
                    }
                } else {
                    read.await.ok();
                }
            }
        });
    }
    timeout(Duration::from_secs(60), tasks.join_all()).await.expect("nobody is stuck");
    assert_eq!(under_way.load(Ordering::SeqCst), 0);
}

/// A load under way; there is no other.
struct UnderWay<'a>(&'a AtomicU32);

impl<'a> UnderWay<'a> {
    fn begin(count: &'a AtomicU32) -> Self {
        assert_eq!(count.fetch_add(1, Ordering::SeqCst), 0, "two loads at a time");
        Self(count)
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Three threads that ask for each key at the same time, while it is fresh for longer than the test.
#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn what_is_fresh_is_loaded_once_altogether() {
    const KEYS: u32 = 1_000;
    let cache: Cached<u32, u32> =
        Cached::<u32, u32>::builder("orders").ttl(Duration::from_secs(3_600)).build();
    let (loads, barrier) = (Arc::new(AtomicU32::new(0)), Arc::new(Barrier::new(3)));
    let mut tasks = JoinSet::new();
    for _ in 0..3 {
        let (cache, loads, barrier) = (cache.clone(), Arc::clone(&loads), Arc::clone(&barrier));
        tasks.spawn(async move {
            for key in 0..KEYS {
                barrier.wait().await;
                let load = async || Ok::<_, Infallible>(loads.fetch_add(1, Ordering::SeqCst));
                cache.get(key, load).await.unwrap();
            }
        });
    }
    timeout(Duration::from_secs(60), tasks.join_all()).await.expect("nobody is stuck");
    assert_eq!(loads.load(Ordering::SeqCst), KEYS);
}
