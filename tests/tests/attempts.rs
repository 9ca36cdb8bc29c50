//! What was decided about a call, on the call's own span: each attempt says where it went and why it could.

use std::{collections::BTreeMap, convert::Infallible, time::Duration};

use axum::{
    body::Body,
    http::{HeaderMap, Request, Response},
};
use throughline::resilience::{balance::Balancer, breaker, retry, shard::Shards, timeout};
use throughline_core::Metric;
use throughline_testing::Capture;
use tower::{Layer, Service, ServiceBuilder, ServiceExt, service_fn};
use tracing::Instrument;

/// A traced client of an instance that always answers with `status`.
fn client(
    status: u16,
) -> impl Service<
    Request<()>,
    Response = Response<impl Send + 'static>,
    Error = Infallible,
    Future: Send + 'static,
> + Clone
+ Send
+ 'static {
    let instance = service_fn(move |_: Request<()>| {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = status.try_into().expect("a status");
        std::future::ready(Ok(response))
    });
    throughline::http::client().layer(instance)
}

fn request() -> Request<()> {
    Request::get("http://orders.test/orders/7").body(()).expect("a request")
}

/// The attributes of ours on each span of that name, in the order in which they ended.
fn told(capture: &Capture, name: &str) -> Vec<String> {
    let spans = capture.spans();
    let of_name = spans.iter().filter(|span| span.name == name);
    of_name
        .map(|span| {
            let own: BTreeMap<_, _> = span
                .attributes
                .iter()
                .filter_map(|(key, value)| Some((key.strip_prefix("throughline.")?, value.to_string())))
                .filter(|(key, _)| *key != "http.end")
                .collect();
            own.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(" ")
        })
        .collect()
}

#[tokio::test]
async fn each_attempt_says_which_instance_it_went_to_and_why_it_could() {
    let capture = Capture::new("gateway");
    let _installed = capture.install();
    let balancer =
        Balancer::builder("orders").instance("orders-1", client(503)).instance("orders-2", client(200));
    let orders = ServiceBuilder::new()
        .layer(retry::layer("orders").backoff(Duration::from_millis(1), Duration::from_millis(1)))
        .layer(timeout::client().limit(Duration::from_secs(5)))
        .layer(breaker::http("orders"))
        .service(balancer.build());
    orders.oneshot(request()).instrument(tracing::info_span!("caller")).await.unwrap();

    let of_instance = |name: &str| {
        format!(
            "balance.healthy=2 balance.instance={name} balance.strategy=round_robin balance.total=2 \
             breaker.name=orders breaker.state=closed"
        )
    };
    let [first, second] = ["orders-1", "orders-2"].map(of_instance);
    let attempts = [format!("{first} timeout.ms=5000"), format!("{second} timeout.ms=5000")];
    assert_eq!(told(&capture, "GET"), attempts, "one span an attempt");
    let caller = format!("{second} retry.end=answered retry.resends=1 timeout.ms=5000");
    assert_eq!(told(&capture, "caller"), [caller], "the last of each kind");
}

#[tokio::test]
async fn a_call_to_a_shard_says_which() {
    let capture = Capture::new("orders");
    let _installed = capture.install();
    let users = Shards::new(["users-0", "users-1"]);
    for key in ["user-7", "user-8"] {
        let asked = users.call(key, async |_| client(200).oneshot(request()).await).unwrap();
        asked.instrument(tracing::info_span!("caller")).await.unwrap();
    }
    let asked = users.call_sensitive("secret", async |_| client(200).oneshot(request()).await).unwrap();
    asked.await.unwrap();
    let spans = told(&capture, "GET");
    let shard = |key| format!("shard.id={}", users.route(key).unwrap());
    assert_eq!(spans.len(), 3);
    for (span, key) in spans.iter().zip(["user-7", "user-8"]) {
        assert!(span.contains(&shard(key)) && span.contains(&format!("shard.key={key} ")), "{span}");
        assert!(span.ends_with("shard.total=2"), "{span}");
    }
    assert!(spans[2].contains(&shard("secret")) && !spans[2].contains("secret"), "{spans:?}");
}

/// Calls that are made beside it, before it and after it are not meant.
#[tokio::test]
async fn what_is_known_of_one_call_is_not_told_of_another() {
    let capture = Capture::new("gateway");
    let _installed = capture.install();
    let guarded = breaker::http("orders").layer(client(200));
    client(200).oneshot(request()).await.unwrap();
    let (guarded, beside) = tokio::join!(guarded.oneshot(request()), client(200).oneshot(request()));
    assert!(guarded.is_ok() && beside.is_ok());
    client(200).oneshot(request()).await.unwrap();
    let mut all = told(&capture, "GET");
    all.sort();
    assert_eq!(all, ["", "", "", "breaker.name=orders breaker.state=closed"]);
}

/// With the façade's feature on, as here, but without a layer: the bytes and the span are those of a build without it,
/// which crates/throughline-http/tests/http/client.rs spells out.
#[tokio::test]
async fn the_feature_alone_changes_nothing_about_a_plain_request() {
    let capture = Capture::new("gateway");
    let _installed = capture.install();
    let (sender, seen) = tokio::sync::oneshot::channel();
    let sender = std::sync::Mutex::new(Some(sender));
    let instance = service_fn(|request: Request<()>| {
        let sender = sender.lock().unwrap().take().unwrap();
        let sent: Result<(), HeaderMap> = sender.send(request.headers().clone());
        std::future::ready(sent.map(|()| Response::new(Body::empty())))
    });
    drop(throughline::http::client().layer(instance).oneshot(request()).await.unwrap());

    let span = capture.span("GET");
    let headers = seen.await.unwrap();
    let names: Vec<&str> = headers.keys().map(http::HeaderName::as_str).collect();
    assert_eq!(names, ["traceparent"], "no deadline, no mark, no key");
    let attributes: BTreeMap<_, _> =
        span.attributes.iter().map(|(key, value)| (key, value.to_string())).collect();
    let expected = [
        ("http.request.method", "GET"),
        ("http.response.status_code", "200"),
        ("network.protocol.version", "1.1"),
        ("server.address", "orders.test"),
        ("server.port", "80"),
        ("throughline.http.end", "complete"),
        ("url.full", "http://orders.test/orders/7"),
    ];
    assert_eq!(attributes, expected.map(|(key, value)| (key, value.to_owned())).into());
    assert!(capture.measurements(Metric::ResilienceDecisions).is_empty());
}
