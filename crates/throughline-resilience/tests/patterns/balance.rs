//! Which instance gets a call.

use std::{future::pending, io, time::Duration};

use http::{Request, Response};
use throughline_resilience::balance::{BalanceError, Balancer, Strategy};
use throughline_testing::Capture;
use tower::{ServiceExt, service_fn};

use crate::told::{messages, polled, request, told};

pub(crate) type Instance = tower::util::BoxCloneService<Request<()>, Response<&'static str>, io::Error>;

pub(crate) fn instance(name: &'static str, status: u16) -> Instance {
    let service = service_fn(move |_: Request<()>| {
        std::future::ready(Ok(Response::builder().status(status).body(name).unwrap()))
    });
    Instance::new(service)
}

/// Two instances that are well, a and b.
pub(crate) fn two() -> Balancer<Instance> {
    Balancer::builder("orders").instance("a", instance("a", 200)).instance("b", instance("b", 200)).build()
}

pub(crate) async fn chosen(balancer: &Balancer<Instance>, times: usize) -> Vec<&'static str> {
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
    assert!(polled(stuck.as_mut()).await.is_pending());
    assert_eq!(chosen(&balancer, 4).await, ["answers"; 4]);
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
    let balancer = two();
    let (well, is_well) = tokio::sync::watch::channel(false);
    let probing =
        balancer.probe(Duration::from_secs(5), async move |name: &str, _| name != "b" || *is_well.borrow());
    let mut probing = std::pin::pin!(probing);
    assert!(polled(probing.as_mut()).await.is_pending());
    assert_eq!(chosen(&balancer, 2).await, ["a", "a"]);
    well.send_replace(true);
    tokio::time::advance(Duration::from_secs(5)).await;
    assert!(polled(probing.as_mut()).await.is_pending());
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
