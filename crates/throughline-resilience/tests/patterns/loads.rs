//! Reads of one key at the same time: one of them loads.

use std::{
    convert::Infallible,
    future::{Future, pending},
    io,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    task::{Context, Waker},
    time::Duration,
};

use throughline_core::Metric;
use throughline_resilience::cache::{Cached, CachedBuilder, Freshness, Read};
use throughline_testing::Capture;
use tokio::{
    task::JoinSet,
    time::{Instant, sleep, timeout},
};
use tracing::Instrument;

const READERS: u32 = 100;
/// How long a load takes, of time that passes when everybody waits.
const LOAD: Duration = Duration::from_secs(2);

/// What is behind the cache, and how often it was asked.
#[derive(Clone, Default)]
struct Backend {
    loads: Arc<AtomicU32>,
}

impl Backend {
    /// Answers with the number of the load, from one.
    async fn load(&self) -> Result<u32, Infallible> {
        let load = self.loads.fetch_add(1, Ordering::SeqCst) + 1;
        sleep(LOAD).await;
        Ok(load)
    }

    async fn fail(&self) -> Result<u32, io::Error> {
        let load = self.loads.fetch_add(1, Ordering::SeqCst) + 1;
        sleep(LOAD).await;
        Err(io::Error::other(format!("load {load} failed")))
    }

    fn loads(&self) -> u32 {
        self.loads.load(Ordering::SeqCst)
    }
}

fn builder() -> CachedBuilder {
    Cached::<u32, u32>::builder("orders")
}

/// A cache whose value of 7 is stale at once, and good enough for a minute.
async fn stale() -> Cached<u32, u32> {
    let cache = builder().ttl(Duration::ZERO).stale_for(Duration::from_secs(60)).build();
    cache.get(7, async || Ok::<_, Infallible>(0)).await.unwrap();
    cache
}

/// What this many readers of 7 get that come at the same time, in no order.
async fn together<T: Send + 'static, F: Future<Output = T> + Send + 'static>(
    readers: u32,
    read: impl Fn() -> F,
) -> Vec<T> {
    let mut tasks = JoinSet::new();
    for _ in 0..readers {
        tasks.spawn(read().instrument(tracing::info_span!("reader")));
    }
    tasks.join_all().await
}

/// A read that has begun, as far as it gets alone.
fn begin(read: std::pin::Pin<&mut impl Future>) {
    assert!(read.poll(&mut Context::from_waker(Waker::noop())).is_pending());
}

fn parts(read: Read<u32>) -> (u32, Freshness) {
    (read.into_inner(), read.freshness())
}

#[tokio::test(start_paused = true)]
async fn many_that_miss_at_once_load_once_and_say_so() {
    let capture = Capture::new("gateway");
    let _guard = capture.install();
    let (cache, backend): (Cached<u32, u32>, _) = (builder().build(), Backend::default());
    let started = Instant::now();
    let reads = together(READERS, || {
        let (cache, backend) = (cache.clone(), backend.clone());
        async move { parts(cache.get(7, async || backend.load().await).await.unwrap()) }
    });
    let reads = reads.await;
    assert_eq!((backend.loads(), started.elapsed()), (1, LOAD));
    assert!(reads.iter().all(|(value, _)| *value == 1));
    let told = |freshness| reads.iter().filter(|(_, it)| *it == freshness).count();
    assert_eq!((told(Freshness::Miss), told(Freshness::Shared)), (1, 99));

    let spans = capture.spans();
    let on_span = |result| {
        let shows = |key: &str, text: &str| key == "throughline.cache.result" && text == result;
        spans.iter().filter(|it| it.attributes.iter().any(|(k, v)| shows(k, &v.to_string()))).count()
    };
    assert_eq!((on_span("miss"), on_span("shared")), (1, 99));
    let counted = capture.measurements(Metric::ResilienceDecisions);
    assert_eq!(counted.len(), 100, "one a read");
}

#[tokio::test(start_paused = true)]
async fn a_load_that_fails_answers_all_that_wait_with_what_is_stale() {
    let (cache, backend) = (stale().await, Backend::default());
    let started = Instant::now();
    let reads = together(READERS, || {
        let (cache, backend) = (cache.clone(), backend.clone());
        async move { parts(cache.get(7, async || backend.fail().await).await.unwrap()) }
    });
    assert_eq!(reads.await, [(0, Freshness::Stale); READERS as usize]);
    assert_eq!((backend.loads(), started.elapsed()), (1, LOAD));
}

#[tokio::test(start_paused = true)]
async fn a_load_that_fails_answers_all_that_wait_with_its_error_where_nothing_is_kept() {
    let capture = Capture::new("gateway");
    let _guard = capture.install();
    let (cache, backend): (Cached<u32, u32>, _) = (builder().build(), Backend::default());
    let started = Instant::now();
    let reads = together(READERS, || {
        let (cache, backend) = (cache.clone(), backend.clone());
        async move { cache.get(7, async || backend.fail().await).await.unwrap_err() }
    });
    let errors = reads.await;
    assert_eq!((backend.loads(), started.elapsed()), (1, LOAD));
    assert!(errors.iter().all(|error| Arc::ptr_eq(error, &errors[0])));
    assert_eq!(errors[0].to_string(), "load 1 failed");
    assert_eq!(capture.measurements(Metric::ResilienceDecisions).len(), 100, "one a read");
    let later = cache.get(7, async || backend.fail().await).await.unwrap_err();
    assert_eq!(later.to_string(), "load 2 failed", "a failure is not kept");
    // As a handler passes it on.
    let boxed: Box<dyn std::error::Error + Send + Sync> = later.into();
    assert_eq!(boxed.to_string(), "load 2 failed");
}

#[tokio::test(start_paused = true)]
async fn errors_of_two_types_take_two_loads() {
    let (cache, backend): (Cached<u32, u32>, _) = (builder().build(), Backend::default());
    let started = Instant::now();
    let of_one = together(READERS, || {
        let (cache, backend) = (cache.clone(), backend.clone());
        async move { cache.get(7, async || backend.fail().await).await.is_err() }
    });
    let of_another = together(READERS, || {
        let (cache, backend) = (cache.clone(), backend.clone());
        let load = async move || backend.fail().await.map_err(|error| error.to_string());
        async move { cache.get(7, load).await.is_err() }
    });
    let (one, another) = tokio::join!(of_one, of_another);
    assert!(one.into_iter().chain(another).all(|failed| failed));
    assert_eq!((backend.loads(), started.elapsed()), (2, LOAD * 2));
}

#[tokio::test(start_paused = true)]
async fn one_of_those_that_wait_loads_when_the_one_that_did_is_dropped() {
    let (cache, backend): (Cached<u32, u32>, _) = (builder().build(), Backend::default());
    let (started, given_up_after) = (Instant::now(), Duration::from_secs(1));
    let given_up = timeout(given_up_after, cache.get(7, async || backend.load().await));
    let waiting = together(READERS, || {
        let (cache, backend) = (cache.clone(), backend.clone());
        async move { parts(cache.get(7, async || backend.load().await).await.unwrap()) }
    });
    let (given_up, reads) = tokio::join!(given_up, waiting);
    assert!(given_up.is_err());
    assert_eq!((backend.loads(), started.elapsed()), (2, given_up_after + LOAD));
    assert_eq!(reads.iter().filter(|read| **read == (2, Freshness::Miss)).count(), 1);
    assert_eq!(reads.iter().filter(|read| **read == (2, Freshness::Shared)).count(), 99);
}

#[tokio::test(start_paused = true)]
async fn who_waits_no_longer_changes_nothing() {
    let cache: Cached<u32, u32> = builder().build();
    let backend = Backend::default();
    let waits = timeout(Duration::from_secs(1), cache.get(7, pending::<Result<u32, Infallible>>));
    let (read, given_up) = tokio::join!(cache.get(7, async || backend.load().await), waits);
    assert_eq!(parts(read.unwrap()), (1, Freshness::Miss));
    assert!(given_up.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_load_that_panics_is_followed_by_another() {
    let (cache, backend): (Cached<u32, u32>, _) = (builder().build(), Backend::default());
    let panics = cache.clone();
    let panics = tokio::spawn(async move {
        let load = async || -> Result<u32, Infallible> {
            sleep(LOAD).await;
            panic!("in a load")
        };
        panics.get(7, load).await
    });
    let waiting = together(READERS, || {
        let (cache, backend) = (cache.clone(), backend.clone());
        async move { parts(cache.get(7, async || backend.load().await).await.unwrap()) }
    });
    let reads = waiting.await;
    assert!(panics.await.unwrap_err().is_panic());
    assert!(reads.iter().all(|(value, _)| *value == 1));
    assert_eq!(backend.loads(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_was_loaded_before_a_forget_is_not_kept_after_it() {
    let (cache, backend): (Cached<u32, u32>, _) = (builder().build(), Backend::default());
    let mut before = pin!(cache.get(7, async || backend.load().await));
    let mut waits = pin!(cache.get(7, async || backend.load().await));
    begin(before.as_mut());
    begin(waits.as_mut());
    cache.forget(&7).await;
    let mut after = pin!(cache.get(7, async || backend.load().await));
    begin(after.as_mut());
    assert_eq!(backend.loads(), 2, "who asks after the change doesn't wait for what was before it");
    let (before, waits, after) = tokio::join!(before, waits, after);
    assert_eq!(parts(before.unwrap()), (1, Freshness::Miss));
    assert_eq!(parts(waits.unwrap()), (1, Freshness::Shared));
    assert_eq!(parts(after.unwrap()), (2, Freshness::Miss));
    assert_eq!(parts(cache.get(7, async || backend.load().await).await.unwrap()), (2, Freshness::Hit));

    let mut before = pin!(cache.get(8, async || backend.load().await));
    begin(before.as_mut());
    cache.forget(&8).await;
    assert_eq!(parts(before.await.unwrap()), (3, Freshness::Miss));
    assert_eq!(parts(cache.get(8, async || backend.load().await).await.unwrap()), (4, Freshness::Miss));
}

#[tokio::test(start_paused = true)]
async fn what_was_forgotten_is_no_stale_answer_either() {
    let (cache, backend) = (stale().await, Backend::default());
    let mut before = pin!(cache.get(7, async || backend.fail().await));
    begin(before.as_mut());
    cache.forget(&7).await;
    assert!(before.await.is_err());
}
