//! Whom the server believes: headers in, exported span and outgoing headers out.

use axum::{Router, body::Body, extract::ConnectInfo, routing::get};
use http::{HeaderValue, Request};
use http_body_util::BodyExt;
use throughline_core::{
    CallerCorrelation, CallerSampled, Context, EdgePolicy, Pipeline, PropagationCounters,
};
use throughline_http::{Incoming, server::TraceLayer, server::server};
use tower::ServiceExt;

use crate::capture::Capture;

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const CALLER: &str = "b7ad6b7169203331";

/// A stranger who sends everything, without asking for the trace to be recorded.
fn stranger(path: &str) -> Request<Body> {
    let mut request = Request::get(path).body(Body::empty()).unwrap();
    for (name, value) in [
        ("traceparent", format!("00-{TRACE}-{CALLER}-00")),
        ("tracestate", "a=1".into()),
        ("baggage", "tenant=blue,admin=1".into()),
        ("x-correlation-id", "order-17".into()),
    ] {
        request.headers_mut().insert(name, HeaderValue::from_str(&value).unwrap());
    }
    request
}

/// What came of a request: of the span, of the baggage inside, and of the correlation id in the answer.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    span: &'static str,
    baggage: String,
    correlation: &'static str,
}

impl Seen {
    fn new(span: &'static str, baggage: &str, correlation: &'static str) -> Self {
        Self { span, baggage: baggage.to_owned(), correlation }
    }
}

async fn seen(layer: TraceLayer, request: Request<Body>) -> (Seen, PropagationCounters) {
    let (capture, _guard) = Capture::start();
    let handler = async || Context::current().baggage().to_header();
    let app = Router::new().route("/orders/{id}", get(handler)).route("/health", get(handler)).layer(layer);
    let response = app.oneshot(request).await.unwrap();
    let correlation = if response.headers()["x-correlation-id"] == "order-17" { "theirs" } else { "new" };
    let baggage = response.into_body().collect().await.unwrap().to_bytes();
    let baggage = String::from_utf8(baggage.to_vec()).unwrap();
    let span = capture.span();
    let (continues, links) = (span.trace == TRACE, span.links.as_slice());
    let span = match (continues, span.parent.as_deref(), links) {
        (true, Some(CALLER), []) => "child",
        (false, None, [link]) if link == CALLER => "new, linked",
        (false, None, []) => "new",
        other => panic!("{other:?}"),
    };
    (Seen { span, baggage, correlation }, Pipeline::current().propagator().counters())
}

#[tokio::test]
async fn what_each_policy_lets_in() {
    for (layer, expected) in [
        (server(), Seen::new("child", "tenant=blue,admin=1", "theirs")),
        (server().public(), Seen::new("new, linked", "", "theirs")),
        (server().edge(EdgePolicy::edge()), Seen::new("new, linked", "", "theirs")),
        (server().edge(EdgePolicy::restart()), Seen::new("new, linked", "tenant=blue,admin=1", "theirs")),
        (server().edge(EdgePolicy::ignore()), Seen::new("new", "", "new")),
        (
            server()
                .edge(EdgePolicy::edge().baggage_keys(["tenant"]).correlation(CallerCorrelation::Replace)),
            Seen::new("new, linked", "tenant=blue", "new"),
        ),
        (
            server().edge(EdgePolicy::trust().sampled(CallerSampled::DecideAnew)),
            Seen::new("child", "tenant=blue,admin=1", "theirs"),
        ),
    ] {
        let shown = format!("{layer:?}");
        assert_eq!(seen(layer, stranger("/orders/17")).await.0, expected, "{shown}");
    }
}

#[tokio::test]
async fn what_an_edge_refuses_is_counted() {
    let (_, counters) = seen(server().public(), stranger("/orders/17")).await;
    assert_eq!((counters.traces_restarted, counters.baggage_members_refused), (1, 2));
}

#[tokio::test]
async fn a_function_of_the_request_chooses() {
    let by_peer = |request: &Incoming<'_>| match request.peer() {
        Some(peer) if peer.ip().is_loopback() => EdgePolicy::trust(),
        _ => EdgePolicy::edge(),
    };
    let by_header = |request: &Incoming<'_>| {
        let is_internal = request.headers().get("x-from-mesh").is_some_and(|value| value == "yes");
        if is_internal { EdgePolicy::trust() } else { EdgePolicy::edge() }
    };
    let by_route = |request: &Incoming<'_>| match request.route() {
        Some("/health") => EdgePolicy::ignore(),
        Some("/orders/{id}") => EdgePolicy::restart(),
        _ => EdgePolicy::trust(),
    };
    let from = |address: &str| {
        let mut request = stranger("/orders/17");
        let address: std::net::SocketAddr = address.parse().unwrap();
        request.extensions_mut().insert(ConnectInfo(address));
        request
    };
    let mut meshed = stranger("/orders/17");
    meshed.headers_mut().insert("x-from-mesh", HeaderValue::from_static("yes"));

    for (layer, request, span) in [
        (server().edge(by_peer), from("127.0.0.1:5000"), "child"),
        (server().edge(by_peer), from("[::1]:5000"), "child"),
        (server().edge(by_peer), from("192.0.2.1:5000"), "new, linked"),
        (server().edge(by_peer), stranger("/orders/17"), "new, linked"),
        (server().edge(by_header), meshed, "child"),
        (server().edge(by_header), stranger("/orders/17"), "new, linked"),
        (server().edge(by_route), stranger("/health"), "new"),
        (server().edge(by_route), stranger("/orders/17"), "new, linked"),
    ] {
        let shown = format!(
            "{} {:?}",
            request.uri(),
            request.extensions().get::<ConnectInfo<std::net::SocketAddr>>()
        );
        assert_eq!(seen(layer, request).await.0.span, span, "{shown}");
    }
}

#[tokio::test]
async fn where_the_servers_span_is_filtered_out_the_first_span_below_links() {
    let (capture, _guard) = Capture::start_filtered_but("handler");
    let handler = async || {
        let work = tracing::info_span!(target: "handler", "work");
        work.in_scope(|| drop(tracing::info_span!(target: "handler", "step")));
    };
    let app = Router::new().route("/", get(handler)).layer(server().public());
    app.oneshot(stranger("/")).await.unwrap().into_body().collect().await.unwrap();
    let spans = capture.spans();
    let [step, work] = spans.as_slice() else { panic!("{spans:#?}") };
    assert_eq!((work.parent.as_deref(), &work.links), (None, &vec![CALLER.to_owned()]));
    assert_ne!(work.trace, TRACE);
    assert_eq!((step.parent.as_deref(), &step.links), (Some(work.id.as_str()), &Vec::new()));
}
