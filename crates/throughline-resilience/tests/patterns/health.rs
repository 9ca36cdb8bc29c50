//! What is held against whom: instances and services that fail, hang, or are asked by callers without time.

use std::{
    future::{Future, pending, poll_fn, ready},
    io,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicU16, Ordering},
    },
    task::Poll,
    time::{Duration, Instant},
};

use http::{Request, Response};
use throughline_core::{Carry, Context};
use throughline_resilience::{
    Refused,
    balance::{BalanceError, Balancer, Strategy},
    breaker::{self, BreakerError, FAIR_TIME},
    timeout::{self, TimeoutError},
};
use throughline_testing::Capture;
use tower::{Layer, ServiceBuilder, ServiceExt, service_fn, util::ServiceFn};
use tracing::Instrument;

use crate::{
    balance::{Instance, chosen, instance, two},
    told::request,
};

/// How long anything here may take.
const DEADLINE: Duration = Duration::from_secs(30);

type Unanswered = std::future::Pending<Result<Response<&'static str>, io::Error>>;

fn hanging() -> ServiceFn<fn(Request<()>) -> Unanswered> {
    service_fn(|_| pending())
}

/// Probes until somebody is left out, with what `is_well` says.
async fn probed(balancer: &Balancer<Instance>, is_well: fn(&str) -> bool) -> impl Future<Output = ()> {
    let (all, begun) = (balancer.health(), Instant::now());
    let mut probing =
        Box::pin(balancer.probe(Duration::from_secs(3600), async move |name: &str, _| is_well(name)));
    poll_fn(|cx| {
        assert!(probing.as_mut().poll(cx).is_pending());
        assert!(begun.elapsed() < DEADLINE, "nobody was left out");
        if balancer.health() == all { Poll::Pending } else { Poll::Ready(()) }
    })
    .await;
    probing
}

fn attribute(capture: &Capture, name: &str) -> String {
    capture.span("caller").attribute(name).unwrap().to_string()
}

#[tokio::test]
async fn where_none_is_well_whoever_has_its_turn_is_asked() {
    let capture = Capture::new("gateway");
    let _guard = capture.install();
    let balancer = two();
    let _probing = probed(&balancer, |_| false).await;
    assert_eq!(balancer.health(), (0, 2));
    let asked = async { chosen(&balancer, 4).await };
    assert_eq!(asked.instrument(tracing::info_span!("caller")).await, ["a", "b", "a", "b"]);
    assert_eq!(attribute(&capture, "throughline.balance.healthy"), "0");
}

#[tokio::test]
async fn where_those_with_a_turn_are_ill_the_well_ones_without_are_no_reason_to_refuse() {
    let balancer = Balancer::builder("orders")
        .strategy(Strategy::Weighted)
        .instance("ill", instance("ill", 200))
        .weighted_instance("stands by", 0, instance("stands by", 200))
        .build();
    let _probing = probed(&balancer, |name| name != "ill").await;
    assert_eq!(balancer.health(), (1, 2));
    assert_eq!(chosen(&balancer, 2).await, ["ill"; 2]);
}

#[tokio::test]
async fn a_caller_is_told_that_there_is_nobody_to_ask() {
    let capture = Capture::new("gateway");
    let _guard = capture.install();
    let nobody = Balancer::builder("orders")
        .strategy(Strategy::Weighted)
        .weighted_instance("stands by", 0, instance("stands by", 200))
        .build();
    let refused = nobody.oneshot(request()).instrument(tracing::info_span!("caller")).await;
    let refused = refused.unwrap_err();
    assert!(matches!(refused, BalanceError::NoInstance { balancer: "orders" }));
    assert!(Refused::is_in(&refused), "a retry would be told the same");
    assert_eq!(attribute(&capture, "throughline.balance.total"), "1");
}

#[tokio::test]
async fn probes_that_end_hold_nothing_against_anybody() {
    let balancer = two();
    let probing = probed(&balancer, |name| name == "a").await;
    assert_eq!(balancer.health(), (1, 2));
    drop(probing);
    assert_eq!(balancer.health(), (2, 2));
}

#[tokio::test(start_paused = true)]
async fn an_instance_that_hangs_is_ejected_by_the_time_limit_on_it() {
    let limited = |instance: Instance| timeout::client().layer(instance);
    let balancer = Balancer::builder("orders")
        .failures(2)
        .ejected_for(Duration::from_secs(3600))
        .instance("hangs", limited(Instance::new(hanging())))
        .instance("answers", limited(instance("answers", 200)))
        .build();
    for _ in 0..4 {
        let _answer_or_timeout = balancer.clone().oneshot(request()).await;
    }
    assert_eq!(balancer.health(), (1, 2));
}

/// Each of them takes twice as long as the one before, unless the instance has answered well meanwhile: then 14 of them last
/// as many milliseconds, and not 16 s.
#[tokio::test]
async fn an_instance_that_has_answered_well_is_not_ejected_for_longer_than_the_first_time() {
    let begun = Instant::now();
    let status = Arc::new(AtomicU16::new(500));
    let shared = Arc::clone(&status);
    let changing = service_fn(move |_: Request<()>| {
        let status = shared.load(Ordering::Relaxed);
        ready(Ok::<_, io::Error>(Response::builder().status(status).body("changing").unwrap()))
    });
    let capture = Capture::new("gateway");
    let _guard = capture.install();
    let balancer = Balancer::builder("orders")
        .failures(1)
        .ejected_for(Duration::from_millis(1))
        .instance("changing", Instance::new(changing))
        .instance("well", instance("well", 200))
        .build();
    for _ in 0..14 {
        status.store(500, Ordering::Relaxed);
        while balancer.health() == (2, 2) {
            chosen(&balancer, 1).await;
        }
        status.store(200, Ordering::Relaxed);
        while balancer.health() == (1, 2) {
            assert!(begun.elapsed() < Duration::from_secs(8), "ejections get longer");
            tokio::task::yield_now().await;
        }
        chosen(&balancer, 2).await;
    }
    let lines = capture.lines();
    let recovered = lines.iter().filter(|line| line["message"] == "instance recovered");
    // A millisecond may be over before it is looked for.
    assert!(recovered.count() >= 14);
}

/// What five calls that hang, by a caller with so much time left, do to a breaker and a balancer with a limit of 10 ms.
async fn held_against(left: Duration) -> (&'static str, (usize, usize)) {
    let layer = breaker::http("orders");
    let limited = |_| timeout::client().limit(Duration::from_millis(10)).layer(hanging());
    let balancer = Balancer::builder("orders")
        .instance("a", limited(0))
        .instance("b", limited(1))
        .failures(2)
        .ejected_for(Duration::from_secs(3600))
        .build();
    for _ in 0..5 {
        let client = ServiceBuilder::new().layer(layer.clone()).service(balancer.clone());
        let caller = Context::default().with_deadline(Instant::now() + left);
        let call = client.oneshot(request()).carry_in(caller);
        let error = tokio::time::timeout(DEADLINE, call).await.unwrap().unwrap_err();
        assert!(matches!(error, BreakerError::OutOfTime { .. } | BreakerError::Inner(_)), "{error}");
    }
    (layer.state(), balancer.health())
}

#[tokio::test]
async fn a_caller_without_time_holds_nothing_against_a_service() {
    assert_eq!(held_against(Duration::from_millis(1)).await, ("closed", (2, 2)));
    assert_eq!(held_against(Duration::ZERO).await, ("closed", (2, 2)));
}

#[tokio::test]
async fn nor_against_an_instance() {
    let limited = || timeout::client().layer(Instance::new(hanging()));
    let balancer =
        Balancer::builder("orders").instance("a", limited()).instance("b", limited()).failures(1).build();
    for _ in 0..4 {
        let caller = Context::default().with_deadline(Instant::now() + Duration::from_millis(1));
        let call = balancer.clone().oneshot(request()).carry_in(caller);
        let error = tokio::time::timeout(DEADLINE, call).await.unwrap().unwrap_err();
        assert!(matches!(error, BalanceError::Inner(TimeoutError::Elapsed { .. })), "{error}");
    }
    assert_eq!(balancer.health(), (2, 2));
}

#[tokio::test]
async fn a_caller_with_time_enough_does() {
    assert_eq!(held_against(FAIR_TIME * 60).await, ("open", (1, 2)));
}

#[tokio::test]
async fn a_call_that_is_given_up_is_told_to_the_caller() {
    let capture = Capture::new("gateway");
    let _guard = capture.install();
    let client = ServiceBuilder::new().layer(breaker::http("orders")).service(hanging());
    let call = async {
        let caller = Context::current().with_deadline(Instant::now() + Duration::from_millis(1));
        let mut call = pin!(client.oneshot(request()).carry_in(caller));
        // Nothing but the clock wakes it.
        poll_fn(|cx| {
            cx.waker().wake_by_ref();
            call.as_mut().poll(cx)
        })
        .await
    };
    let error = tokio::time::timeout(DEADLINE, call.instrument(tracing::info_span!("caller"))).await.unwrap();
    assert!(matches!(error.unwrap_err(), BreakerError::OutOfTime { name: "orders" }));
    assert_eq!(attribute(&capture, "throughline.timeout.elapsed"), "true");
}
