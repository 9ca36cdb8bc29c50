//! Each pattern: what it does, and what the caller's span says of it.

#![cfg(feature = "full")]
#![expect(clippy::unwrap_used, reason = "helpers of tests are tests, too")]

use std::{
    cell::Cell,
    collections::BTreeMap,
    future::pending,
    io,
    rc::Rc,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use http::{Method, Request, Response, StatusCode};
use throughline_core::{Context, Metric, ResendCount};
use throughline_resilience::{
    balance::{BalanceError, Balancer, Strategy},
    breaker::{self, BreakerError},
    cache::{Cached, Freshness},
    fallback,
    retry::{self, Idempotent, Throttled},
    shard::Shards,
    shed,
    timeout::{self, TimeoutError},
};
use throughline_testing::Capture;
use tower::{ServiceBuilder, ServiceExt, service_fn};
use tracing::Instrument;

type Answer = Result<Response<()>, io::Error>;

fn answer(status: u16) -> Answer {
    Ok(Response::builder().status(status).body(()).unwrap())
}

fn request() -> Request<()> {
    Request::get("http://users.test/users/7").body(()).unwrap()
}

/// Runs `work` in a span, and returns its attributes of ours, as text.
async fn told<T>(capture: &Capture, work: impl Future<Output = T>) -> (T, String) {
    let result = work.instrument(tracing::info_span!("caller")).await;
    let spans = capture.spans();
    let span = spans.iter().rev().find(|span| span.name == "caller").unwrap();
    let attributes: BTreeMap<_, _> = span
        .attributes
        .iter()
        .filter_map(|(key, value)| Some((key.strip_prefix("throughline.")?, value.to_string())))
        .collect();
    let text: Vec<_> = attributes.iter().map(|(key, value)| format!("{key}={value}")).collect();
    (result, text.join(" "))
}

fn decisions(capture: &Capture) -> Vec<String> {
    let text = |one: &throughline_testing::Measurement| {
        one.attributes.iter().map(|(_, value)| value.as_str()).collect::<Vec<_>>().join(" ")
    };
    capture.measurements(Metric::ResilienceDecisions).iter().map(text).collect()
}

fn messages(capture: &Capture) -> Vec<String> {
    capture.lines().iter().map(|line| line["message"].as_str().unwrap().to_owned()).collect()
}

// ---- breaker ----

#[tokio::test(start_paused = true)]
async fn a_breaker_opens_after_five_failures_in_a_row_and_sends_nothing() {
    let capture = Capture::new("gateway");
    let _guard = capture.install();
    let calls = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&calls);
    let broken = service_fn(move |_: Request<()>| {
        counted.fetch_add(1, Ordering::Relaxed);
        std::future::ready(answer(503))
    });
    let layer = breaker::http("users");
    let service = ServiceBuilder::new().layer(layer.clone()).service(broken);
    for _ in 0..5 {
        let (answered, told) = told(&capture, service.clone().oneshot(request())).await;
        assert_eq!(answered.unwrap().status(), 503);
        assert_eq!(told, "breaker.name=users breaker.state=closed");
    }
    for _ in 0..3 {
        let (refused, told) = told(&capture, service.clone().oneshot(request())).await;
        assert!(matches!(refused, Err(BreakerError::Open { name: "users" })));
        assert_eq!(told, "breaker.name=users breaker.rejected=true breaker.state=open");
    }
    assert_eq!((calls.load(Ordering::Relaxed), layer.state()), (5, "open"));
    assert_eq!(messages(&capture), ["breaker opened"], "one line a transition, none a call");
    assert_eq!(
        decisions(&capture),
        ["breaker users open", "breaker users rejected", "breaker users rejected", "breaker users rejected"]
    );
}

#[tokio::test]
async fn a_breaker_tries_again_and_closes_when_all_trials_succeed() {
    for (recovered, state, lines) in [
        (true, "closed", vec!["breaker opened", "breaker changed", "breaker changed"]),
        (false, "open", vec!["breaker opened", "breaker changed", "breaker opened"]),
    ] {
        let capture = Capture::new("gateway");
        let _guard = capture.install();
        let (well, is_well) = tokio::sync::watch::channel(false);
        let service = service_fn(move |_: Request<()>| {
            std::future::ready(answer(if *is_well.borrow() { 200 } else { 500 }))
        });
        let layer =
            breaker::builder("users").failures(2).open_for(Duration::from_millis(20)).trials(2).build();
        let service = ServiceBuilder::new().layer(layer.clone()).service(service);
        for _ in 0..2 {
            service.clone().oneshot(request()).await.unwrap();
        }
        assert_eq!(layer.state(), "open");
        well.send_replace(recovered);
        // Until a call is let through.
        let deadline = tokio::time::Instant::now() + Duration::from_secs(10);
        while service.clone().oneshot(request()).await.is_err() {
            assert!(tokio::time::Instant::now() < deadline);
            tokio::task::yield_now().await;
        }
        if recovered {
            assert_eq!(layer.state(), "half_open");
            service.clone().oneshot(request()).await.unwrap();
        }
        assert_eq!(layer.state(), state);
        assert_eq!(messages(&capture), lines);
    }
}

// ---- retry ----

type Scripted = tower::util::BoxCloneService<Request<()>, Response<()>, io::Error>;
type Seen = Arc<Mutex<Vec<u32>>>;

/// A service that answers with these, one after the other, and keeps the resend counts that it saw.
fn script(statuses: &'static [u16]) -> (Scripted, Seen) {
    let seen = Seen::default();
    let kept = Arc::clone(&seen);
    let service = service_fn(move |request: Request<()>| {
        let mut counts = kept.lock().unwrap();
        let count = request.extensions().get::<ResendCount>().copied().unwrap_or_default();
        let status = statuses.get(counts.len()).copied().unwrap_or(200);
        counts.push(count.0);
        std::future::ready(if status == 0 { Err(io::Error::other("reset")) } else { answer(status) })
    });
    (Scripted::new(service), seen)
}

#[tokio::test(start_paused = true)]
async fn what_is_sent_again_and_what_never_is() {
    for (statuses, layer, sent, end) in [
        (&[200][..], retry::layer("users"), vec![0], ""),
        (&[503, 0, 200], retry::layer("users"), vec![0, 1, 2], "retry.end=answered retry.resends=2"),
        (
            &[500, 500, 500, 500, 500],
            retry::layer("users"),
            vec![0, 1, 2, 3],
            "retry.end=too_many retry.resends=3",
        ),
        (&[404], retry::layer("users"), vec![0], "retry.end=not_worth_it retry.resends=0"),
        (&[429], retry::layer("users"), vec![0], "retry.end=not_worth_it retry.resends=0"),
        (
            &[429, 408],
            retry::layer("users").throttled(Throttled::Resend),
            vec![0, 1, 2],
            "retry.end=answered retry.resends=2",
        ),
        (&[503, 503], retry::layer("users").resends_max(1), vec![0, 1], "retry.end=too_many retry.resends=1"),
        (
            &[503, 503],
            retry::layer("users").budget(0.0, 0),
            vec![0],
            "retry.end=budget_spent retry.resends=0",
        ),
    ] {
        let capture = Capture::new("gateway");
        let _guard = capture.install();
        let (service, seen) = script(statuses);
        let service = ServiceBuilder::new().layer(layer).service(service);
        let (_, told) = told(&capture, service.oneshot(request())).await;
        assert_eq!((seen.lock().unwrap().clone(), told.as_str()), (sent, end), "{statuses:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_that_is_not_idempotent_is_sent_once_unless_it_says_otherwise() {
    let marked = || {
        let mut request = request();
        request.extensions_mut().insert(Idempotent);
        request
    };
    let keyed = || {
        let mut request = request();
        request.headers_mut().insert("idempotency-key", "order-17".parse().unwrap());
        request
    };
    for (make, sent) in
        [(Box::new(request) as Box<dyn Fn() -> Request<()>>, 1), (Box::new(marked), 2), (Box::new(keyed), 2)]
    {
        let (service, seen) = script(&[503, 200]);
        let mut request = make();
        *request.method_mut() = Method::POST;
        let answered =
            ServiceBuilder::new().layer(retry::layer("orders")).service(service).oneshot(request).await;
        assert_eq!((seen.lock().unwrap().len(), answered.unwrap().status().is_success()), (sent, sent == 2));
    }
}

#[tokio::test(start_paused = true)]
async fn a_retry_after_is_waited_for_unless_it_is_too_long() {
    for (asked, sent) in [("2", 2), ("3600", 1)] {
        let calls = Rc::new(Cell::new(0));
        let counted = Rc::clone(&calls);
        let service = service_fn(move |_: Request<()>| {
            counted.set(counted.get() + 1);
            let response = Response::builder().status(503).header("retry-after", asked).body(());
            std::future::ready(if counted.get() == 1 {
                Ok::<_, io::Error>(response.unwrap())
            } else {
                answer(200)
            })
        });
        let started = tokio::time::Instant::now();
        ServiceBuilder::new().layer(retry::layer("users")).service(service).oneshot(request()).await.unwrap();
        assert_eq!(calls.get(), sent);
        assert_eq!(started.elapsed(), if sent == 2 { Duration::from_secs(2) } else { Duration::ZERO });
    }
}

#[tokio::test(start_paused = true)]
async fn the_wait_between_attempts_is_seen() {
    let capture = Capture::new("gateway");
    let _guard = capture.install();
    let (service, _) = script(&[503, 200]);
    let service = ServiceBuilder::new().layer(retry::layer("users")).service(service);
    told(&capture, service.oneshot(request())).await.0.unwrap();
    let lines = capture.lines();
    assert_eq!((lines[0]["message"].as_str(), lines[0]["resend"].as_u64()), (Some("sending again"), Some(1)));
    assert_eq!(lines[0]["reason"], "Service Unavailable");
    assert!(lines[0]["pause_ms"].as_f64().unwrap() <= 100.0);
    assert_eq!(capture.span("caller").events.len(), 1);
    assert_eq!(decisions(&capture), ["retry users resent", "retry users answered"]);
}

// ---- time limit ----

#[tokio::test(start_paused = true)]
async fn a_call_that_takes_too_long_is_dropped() {
    let capture = Capture::new("gateway");
    let _guard = capture.install();
    let hangs = service_fn(|_: Request<()>| pending::<Answer>());
    let service = ServiceBuilder::new().layer(timeout::client()).service(hangs);
    let started = tokio::time::Instant::now();
    let (result, told) = told(&capture, service.oneshot(request())).await;
    assert!(matches!(result, Err(TimeoutError::Elapsed { after }) if after == Duration::from_secs(2)));
    assert_eq!(started.elapsed(), Duration::from_secs(2));
    assert_eq!(told, "timeout.elapsed=true timeout.ms=2000");
}

#[tokio::test(start_paused = true)]
async fn the_next_hop_is_told_what_is_left_and_shares_it() {
    let last = service_fn(|request: Request<()>| {
        let left: u64 = request.headers()[timeout::HEADER].to_str().unwrap().parse().unwrap();
        assert!((1..=60_000).contains(&left), "{left}");
        std::future::ready(answer(200))
    });
    let onward = timeout::client().limit(Duration::from_secs(3600));
    let onward = ServiceBuilder::new().layer(onward).service(last);
    let handler = service_fn(move |_: Request<()>| {
        assert!(Context::current().deadline().is_some());
        let onward = onward.clone();
        async move { onward.oneshot(request()).await.map_err(io::Error::other) }
    });
    let first = ServiceBuilder::new().layer(timeout::server()).service(handler);
    let client = ServiceBuilder::new().layer(timeout::client().limit(Duration::from_secs(60))).service(first);
    client.oneshot(request()).await.unwrap();
    assert_eq!(Context::current().deadline(), None);
}

#[tokio::test(start_paused = true)]
async fn where_no_time_is_left_nothing_is_sent() {
    let capture = Capture::new("orders");
    let _guard = capture.install();
    let sent = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&sent);
    let next = service_fn(move |_: Request<()>| {
        counted.fetch_add(1, Ordering::Relaxed);
        std::future::ready(answer(200))
    });
    let onward = ServiceBuilder::new().layer(timeout::client()).service(next);
    let handler = service_fn(move |_: Request<()>| {
        let onward = onward.clone();
        async move {
            let deadline = Context::current().deadline().unwrap();
            while std::time::Instant::now() < deadline {
                tokio::task::yield_now().await;
            }
            let refused = onward.oneshot(request()).await;
            assert!(matches!(refused, Err(TimeoutError::Elapsed { after: Duration::ZERO })));
            answer(200)
        }
    });
    let service = ServiceBuilder::new().layer(timeout::server()).service(handler);
    let mut request = request();
    request.headers_mut().insert(timeout::HEADER, "1".parse().unwrap());
    let (_, told) = told(&capture, service.oneshot(request)).await;
    assert_eq!(told, "timeout.elapsed=true timeout.ms=0");
    assert_eq!(
        (sent.load(Ordering::Relaxed), decisions(&capture)),
        (0, vec!["timeout client elapsed".to_owned()])
    );
}

#[tokio::test]
async fn what_comes_without_any_time_left_is_not_begun() {
    for (left, status, begun, seen) in [("0", 504, 0, "timeout.elapsed=true"), ("5000", 200, 1, "")] {
        let capture = Capture::new("orders");
        let _guard = capture.install();
        let calls = Cell::new(0);
        let handler = service_fn(|_: Request<()>| {
            calls.set(calls.get() + 1);
            std::future::ready(answer(200))
        });
        let service = ServiceBuilder::new().layer(timeout::server()).service(handler);
        let mut request = request();
        request.headers_mut().insert(timeout::HEADER, left.parse().unwrap());
        let (answered, told) = told(&capture, service.oneshot(request)).await;
        assert_eq!((answered.unwrap().status().as_u16(), calls.get(), told.as_str()), (status, begun, seen));
        assert_eq!(decisions(&capture).len(), 1 - begun);
    }
}

// ---- load shedding ----

#[tokio::test]
async fn what_is_beyond_the_limit_is_refused_at_once() {
    let capture = Capture::new("orders");
    let _guard = capture.install();
    let begun = Cell::new(0);
    let hangs = service_fn(|_: Request<()>| {
        begun.set(begun.get() + 1);
        pending::<Answer>()
    });
    let layer = shed::layer("orders", 2);
    let service = ServiceBuilder::new().layer(layer.clone()).service(hangs);
    let mut first = Box::pin(service.clone().oneshot(request()));
    assert!(futures_poll(first.as_mut()).await.is_pending());
    // Another service that the layer was put onto shares the limit.
    let other = ServiceBuilder::new().layer(layer.clone()).service(hangs);
    let mut second = Box::pin(other.oneshot(request()));
    assert!(futures_poll(second.as_mut()).await.is_pending());
    for _ in 0..2 {
        let (refused, told) = told(&capture, service.clone().oneshot(request())).await;
        let refused = refused.unwrap();
        assert_eq!(
            (refused.status().as_u16(), &refused.headers()["retry-after"]),
            (503, &"1".parse().unwrap())
        );
        assert_eq!(told, "shed=orders");
    }
    assert_eq!((begun.get(), layer.under_way()), (2, 2));
    assert_eq!(messages(&capture), ["load shed"], "no line for each");
    assert_eq!(decisions(&capture), ["shed orders rejected"; 2]);

    // Whoever stops waiting makes room.
    drop(first);
    assert_eq!(layer.under_way(), 1);
    let mut third = Box::pin(service.oneshot(request()));
    assert!(futures_poll(third.as_mut()).await.is_pending());
    assert_eq!(begun.get(), 3);
}

#[tokio::test]
async fn a_request_that_was_answered_or_has_panicked_makes_room() {
    let layer = shed::layer("orders", 1);
    for _ in 0..3 {
        let well = ServiceBuilder::new()
            .layer(layer.clone())
            .service(service_fn(async |_: Request<()>| answer(200)));
        assert_eq!(well.oneshot(request()).await.unwrap().status(), 200);
        let panics = service_fn(|_: Request<()>| -> std::future::Ready<Answer> { panic!("on purpose") });
        let panics = ServiceBuilder::new().layer(layer.clone()).service(panics);
        tokio::spawn(panics.oneshot(request())).await.unwrap_err();
    }
    assert_eq!(layer.under_way(), 0);
}

// ---- fallback ----

#[tokio::test]
async fn a_failure_is_answered_by_the_fallback_and_says_so() {
    for (broken, reason) in
        [(Err(io::Error::other("token=secret")), "std::io::error::Error"), (answer(502), "502")]
    {
        let capture = Capture::new("gateway");
        let _guard = capture.install();
        let broken = Cell::new(Some(broken));
        let service = service_fn(|_: Request<()>| std::future::ready(broken.take().unwrap()));
        let service = ServiceBuilder::new()
            .layer(fallback::layer("recommendations", |_| Response::new(())))
            .service(service);
        let (answered, told) = told(&capture, service.oneshot(request())).await;
        let answered = answered.unwrap();
        assert_eq!(
            (answered.status(), &answered.headers()[fallback::HEADER]),
            (StatusCode::OK, &"recommendations".parse().unwrap())
        );
        assert_eq!(told, format!("degraded=recommendations degraded.reason={reason}"));
        let mut own = http::HeaderMap::new();
        fallback::carry_over(answered.headers(), &mut own);
        assert_eq!(own[fallback::HEADER], "recommendations");
    }
}

#[tokio::test]
async fn what_goes_well_is_left_alone() {
    let capture = Capture::new("gateway");
    let _guard = capture.install();
    let service = service_fn(|_: Request<()>| std::future::ready(answer(404)));
    let service =
        ServiceBuilder::new().layer(fallback::layer("users", |_| Response::new(()))).service(service);
    let (answered, told) = told(&capture, service.oneshot(request())).await;
    assert_eq!((answered.unwrap().status().as_u16(), told.as_str()), (404, ""));
}

// ---- balance ----

type Instance = tower::util::BoxCloneService<Request<()>, Response<&'static str>, io::Error>;

fn instance(name: &'static str, status: u16) -> Instance {
    let service = service_fn(move |_: Request<()>| {
        std::future::ready(Ok(Response::builder().status(status).body(name).unwrap()))
    });
    Instance::new(service)
}

async fn chosen(balancer: &Balancer<Instance>, times: usize) -> Vec<&'static str> {
    let mut chosen = Vec::new();
    for _ in 0..times {
        chosen.push(*balancer.clone().oneshot(request()).await.unwrap().body());
    }
    chosen
}

#[tokio::test]
async fn each_strategy_has_its_order() {
    for (strategy, expected) in [
        (Strategy::RoundRobin, ["a", "b", "c", "a", "b", "c"]),
        (Strategy::LeastConnections, ["a", "b", "c", "a", "b", "c"]),
        (Strategy::Weighted, ["a", "b", "a", "a", "b", "a"]),
    ] {
        let balancer = Balancer::builder("orders")
            .strategy(strategy)
            .weighted_instance("a", 2, instance("a", 200))
            .instance("b", instance("b", 200))
            .weighted_instance("c", u32::from(strategy != Strategy::Weighted), instance("c", 200))
            .build();
        assert_eq!(chosen(&balancer, 6).await, expected, "{strategy:?}");
    }
}

#[tokio::test]
async fn the_least_busy_instance_is_chosen() {
    let hangs = Instance::new(service_fn(|_: Request<()>| pending()));
    let balancer = Balancer::builder("orders")
        .strategy(Strategy::LeastConnections)
        .instance("hangs", hangs)
        .instance("answers", instance("answers", 200))
        .build();
    let mut stuck = std::pin::pin!(balancer.clone().oneshot(request()));
    assert!(futures_poll(stuck.as_mut()).await.is_pending());
    assert_eq!(chosen(&balancer, 4).await, ["answers"; 4]);
}

async fn futures_poll<F: Future>(future: std::pin::Pin<&mut F>) -> std::task::Poll<F::Output> {
    let mut future = Some(future);
    std::future::poll_fn(|cx| std::task::Poll::Ready(future.take().unwrap().poll(cx))).await
}

#[tokio::test]
async fn an_instance_that_keeps_failing_is_ejected() {
    let capture = Capture::new("gateway");
    let _guard = capture.install();
    let balancer = Balancer::builder("orders")
        .failures(2)
        .ejected_for(Duration::from_secs(3600))
        .instance("ill", instance("ill", 500))
        .instance("well", instance("well", 200))
        .build();
    assert_eq!(chosen(&balancer, 4).await, ["ill", "well", "ill", "well"]);
    assert_eq!(balancer.health(), (1, 2));
    let (_, told) = told(&capture, balancer.clone().oneshot(request())).await;
    assert_eq!(told, "balance.healthy=1 balance.instance=well balance.strategy=round_robin balance.total=2");
    assert_eq!(messages(&capture), ["instance left out"]);
}

#[tokio::test(start_paused = true)]
async fn a_probe_leaves_an_instance_out_and_takes_it_back() {
    let capture = Capture::new("gateway");
    let _guard = capture.install();
    let balancer = Balancer::builder("orders")
        .instance("a", instance("a", 200))
        .instance("b", instance("b", 200))
        .build();
    let (well, is_well) = tokio::sync::watch::channel(false);
    let probing =
        balancer.probe(Duration::from_secs(5), async move |name: &str, _| name != "b" || *is_well.borrow());
    let mut probing = std::pin::pin!(probing);
    assert!(futures_poll(probing.as_mut()).await.is_pending());
    assert_eq!(chosen(&balancer, 2).await, ["a", "a"]);
    well.send_replace(true);
    tokio::time::advance(Duration::from_secs(5)).await;
    assert!(futures_poll(probing.as_mut()).await.is_pending());
    assert_eq!(balancer.health(), (2, 2));
    assert_eq!(messages(&capture), ["instance left out", "instance recovered"]);
}

#[tokio::test]
async fn with_nobody_healthy_somebody_is_asked_and_with_nobody_at_all_nobody() {
    let balancer = Balancer::builder("orders").failures(1).instance("only", instance("only", 500)).build();
    assert_eq!(chosen(&balancer, 3).await, ["only"; 3]);
    let empty = Balancer::<Instance>::builder("orders").build();
    let refused = empty.oneshot(request()).await;
    assert!(matches!(refused, Err(BalanceError::NoInstance { balancer: "orders" })));
}

// ---- shards, cache ----

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
