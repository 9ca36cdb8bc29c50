//! Decisions of breakers, balancers, retries, time limits, limits of load, fallbacks and caches, each on the span that the call is made in.

use std::{convert::Infallible, future::pending, io, time::Duration};

use axum::http::{Request, Response};
use throughline::resilience::{
    balance::{Balancer, Strategy},
    breaker,
    cache::Cached,
    fallback, retry,
    shard::Shards,
    shed, timeout,
};
use tower::{ServiceBuilder, ServiceExt, service_fn};
use tracing::Instrument;

type Answer = Result<Response<()>, io::Error>;

pub(crate) async fn run() {
    choose().instrument(tracing::info_span!("choices")).await;
    read().instrument(tracing::info_span!("cached reads")).await;
    fail().instrument(tracing::info_span!("failures")).await;
    wait().instrument(tracing::info_span!("time limit")).await;
    refuse().instrument(tracing::info_span!("load shed")).await;
}

fn request() -> Request<()> {
    Request::get("http://users.test/users/7").body(()).unwrap()
}

async fn choose() {
    let shards = Shards::new(["users-0", "users-1"]);
    assert_eq!(shards.route("user-7"), shards.route_sensitive("user-7"));
    let instance = || service_fn(async |_: Request<()>| Answer::Ok(Response::new(())));
    let balancer = Balancer::builder("orders").strategy(Strategy::RoundRobin);
    let balancer = balancer.instance("orders-1", instance()).instance("orders-2", instance()).build();
    balancer.oneshot(request()).await.unwrap();
}

async fn read() {
    let names = Cached::<i32, &str>::builder("names").ttl(Duration::from_secs(60)).build();
    for _ in 0..2 {
        names.get(7, async || Ok::<_, Infallible>("Ada")).await.unwrap();
    }
}

async fn fail() {
    let broken =
        service_fn(async |_: Request<()>| Answer::Ok(Response::builder().status(503).body(()).unwrap()));
    let breaker = breaker::builder("users").failures(1).build();
    let service = ServiceBuilder::new()
        .layer(fallback::layer("users", |_| Response::new(())))
        .layer(retry::layer("users").backoff(Duration::from_millis(1), Duration::from_millis(1)))
        .layer(breaker)
        .service(broken);
    for _ in 0..2 {
        service.clone().oneshot(request()).await.unwrap();
    }
}

async fn wait() {
    let endless = service_fn(async |_: Request<()>| pending::<Answer>().await);
    let layer = timeout::client().limit(Duration::from_millis(5));
    ServiceBuilder::new().layer(layer).service(endless).oneshot(request()).await.unwrap_err();
}

async fn refuse() {
    let service = service_fn(async |_: Request<()>| Answer::Ok(Response::new(())));
    let service = ServiceBuilder::new().layer(shed::layer("users", 0)).service(service);
    assert_eq!(service.oneshot(request()).await.unwrap().status(), 503);
}
