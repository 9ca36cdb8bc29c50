//! The detector of work that has left its trace: what it finds, at which line, and what it leaves alone.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::{convert::Infallible, future::Future, thread};

use throughline::{
    Carry, Context, Orphans, carry,
    core::{ORPHAN_SITES_MAX, Orphan, OrphanKind, with_remote},
    http::{client, reqwest::traced, server},
    messaging::channel::channel,
};
use throughline_testing::Capture;
use tower::{ServiceBuilder, ServiceExt, service_fn};
use tracing::{Instrument, instrument::WithSubscriber};

type Request = http::Request<http_body_util::Empty<bytes::Bytes>>;
type Response = http::Response<http_body_util::Empty<bytes::Bytes>>;

/// A capture with a detector, and the detector.
fn detecting(orphans: Orphans) -> (Capture, Orphans) {
    (Capture::builder("orders").orphans(orphans.clone()).build(), orphans)
}

/// What `work` leaves without a trace, as `kind name`.
async fn found(work: impl Future<Output = ()>) -> Vec<String> {
    let (capture, orphans) = detecting(Orphans::new());
    capture.run_async(work).await;
    orphans.found().iter().map(|one| format!("{:?} {}", one.kind(), one.name())).collect()
}

/// The span that a handler opens, to be called from wherever.
fn look_up() {
    tracing::info_span!("look up").in_scope(|| tracing::info!("found"));
}

async fn send_order() {
    let (orders, mut incoming) = channel("orders", 1);
    orders.send(7).await.unwrap();
    // A consumer is where a message's trace goes on: it is in none of its own.
    incoming.recv().await.unwrap().process(async |_| look_up()).await;
}

async fn call_users() {
    let answer = service_fn(async |_: Request| Ok::<_, Infallible>(Response::default()));
    let http = ServiceBuilder::new().layer(client()).service(answer);
    http.oneshot(Request::default()).await.unwrap();
}

async fn ask_nobody() {
    let http = traced(reqwest::Client::builder()).unwrap();
    http.get("http://user:pw@127.0.0.1:1/?token=x").send().await.unwrap_err();
}

/// Runs `work` in a handler of a server, whose caller has sent nothing.
async fn in_a_request<F: Future<Output = ()>>(work: fn() -> F) {
    let handler = service_fn(move |_: Request| async move {
        work().await;
        Ok::<_, Infallible>(Response::default())
    });
    let service = ServiceBuilder::new().layer(server()).service(handler);
    service.oneshot(Request::default()).await.unwrap();
}

#[tokio::test]
async fn what_begins_with_nothing_current_is_found() {
    assert_eq!(found(async { look_up() }).await, ["Span look up"]);
    assert_eq!(found(call_users()).await, ["Call GET "]);
    assert_eq!(found(ask_nobody()).await, ["Request GET 127.0.0.1"]);
    assert_eq!(found(send_order()).await, ["Message send orders"]);
}

#[tokio::test]
async fn what_belongs_to_a_request_a_span_or_a_context_is_not() {
    assert_eq!(found(in_a_request(|| async { look_up() })).await, [""; 0]);
    assert_eq!(found(in_a_request(call_users)).await, [""; 0]);
    assert_eq!(found(in_a_request(ask_nobody)).await, [""; 0]);
    assert_eq!(found(in_a_request(send_order)).await, [""; 0]);
    let span = async { send_order().instrument(tracing::info_span!(parent: None, "nightly")).await };
    assert_eq!(found(span).await, [""; 0]);
    assert_eq!(found(async { look_up() }.carry_in(Context::root())).await, [""; 0]);
    assert_eq!(found(async { with_remote(&Context::root(), look_up) }).await, [""; 0]);
}

#[tokio::test]
async fn a_task_that_was_spawned_without_carry_is_found() {
    let request = || tracing::info_span!(parent: None, "POST /orders");
    let lost = async { tokio::spawn(async { look_up() }.with_current_subscriber()).await.unwrap() };
    assert_eq!(found(lost.instrument(request())).await, ["Span look up"]);
    let kept = async { tokio::spawn(async { look_up() }.carry().with_current_subscriber()).await.unwrap() };
    assert_eq!(found(async { kept.instrument(request()).await }).await, [""; 0]);
}

#[test]
fn so_is_a_thread() {
    let (capture, orphans) = detecting(Orphans::new());
    capture.run(|| {
        tracing::info_span!("POST /orders", otel.kind = "server").in_scope(|| {
            let dispatch = capture.dispatch();
            let run = |work: Box<dyn FnOnce() + Send>| {
                thread::scope(|scope| {
                    scope.spawn(|| tracing::dispatcher::with_default(dispatch, work)).join().unwrap();
                });
            };
            run(Box::new(carry(look_up)));
            assert_eq!(orphans.found().len(), 1, "only the root itself, which no server opened");
            run(Box::new(look_up));
        });
    });
    assert_eq!(orphans.found()[1].name(), "look up");
}

#[test]
fn each_place_is_told_once_with_file_and_line() {
    let (capture, orphans) = detecting(Orphans::new());
    let line = line!() + 1;
    let begin = |name| tracing::info_span!("refresh", otel.name = name).in_scope(|| ());
    capture.run(|| (begin("a"), begin("b"), begin("c")));

    let found = orphans.found();
    assert_eq!((found.len(), orphans.count()), (1, 3));
    assert_eq!((found[0].kind(), found[0].file(), found[0].line()), (OrphanKind::Span, file!(), line));
    let told: Vec<_> = capture.lines();
    assert_eq!(told.len(), 1);
    assert_eq!(told[0]["level"], "WARN");
    assert_eq!(told[0]["target"], "throughline::diagnostics");
    assert_eq!(told[0]["code.file.path"], file!());
    assert_eq!(told[0]["code.line.number"], line);
    assert_eq!(told[0]["trace_id"], capture.span("a").trace_id.to_string(), "the trace that it began");
    let begins = format!("{}:{line}: the span \"refresh\" begins a trace of its own", file!());
    assert!(told[0]["message"].as_str().unwrap().starts_with(&begins), "{told:?}");
    assert!(capture.spans().iter().all(|span| span.events.is_empty()), "diagnostics are not exported");
}

#[tokio::test]
async fn the_place_of_a_request_is_where_the_client_was_called() {
    let (capture, orphans) = detecting(Orphans::new());
    let _installed = capture.install();
    let http = traced(reqwest::Client::builder()).unwrap();
    let request = http.get("http://127.0.0.1:1/");
    let line = line!() + 1;
    request.send().await.unwrap_err();
    let (orders, _incoming) = channel("orders", 1);
    orders.try_send(1).unwrap();
    let places: Vec<_> = orphans.found().iter().map(|one: &Orphan| (one.file(), one.line())).collect();
    assert_eq!(places, [(file!(), line), (file!(), line + 2)]);
    assert!(!format!("{:?}", capture.lines()).contains("pw"));
}

#[test]
fn what_is_allowed_is_left_alone() {
    let (capture, orphans) = detecting(Orphans::new().allow("orphans::housekeeping").allow("tests/other"));
    capture.run(|| {
        tracing::info_span!(target: "orphans::housekeeping::nightly", "sweep").in_scope(|| ());
        tracing::info_span!(target: "orphans::orders", "look up").in_scope(|| ());
    });
    assert_eq!(orphans.found().iter().map(Orphan::name).collect::<Vec<_>>(), ["look up"]);
}

#[tokio::test]
async fn only_so_many_places_are_remembered_and_all_are_counted() {
    let (capture, orphans) = detecting(Orphans::new());
    let _installed = capture.install();
    for number in 0..ORPHAN_SITES_MAX + 10 {
        let answer = service_fn(async |_: Request| Ok::<_, Infallible>(Response::default()));
        let http = ServiceBuilder::new().layer(client()).service(answer);
        let mut request = Request::default();
        *request.uri_mut() = format!("http://host-{number}/").parse().unwrap();
        http.oneshot(request).await.unwrap();
    }
    assert_eq!(orphans.found().len(), ORPHAN_SITES_MAX);
    assert_eq!(orphans.count(), ORPHAN_SITES_MAX as u64 + 10);
    assert_eq!(capture.lines().len(), ORPHAN_SITES_MAX);
}

#[test]
fn the_environment_switches_it_on() {
    let spans_of = |value: &str| {
        let folder = tempfile::tempdir().unwrap();
        let lines = folder.path().join("lines.json");
        let telemetry = throughline::builder("orders")
            .environment(throughline::core::env::Environment::from_pairs([("THROUGHLINE_ORPHANS", value)]))
            .log_output(throughline::logs::Output::file(&lines))
            .traces(throughline::otlp::Signal::On)
            .metrics(throughline::otlp::Signal::Off)
            .build()
            .unwrap();
        tracing::dispatcher::with_default(&telemetry.dispatch(), look_up);
        telemetry.shutdown_blocking(std::time::Duration::from_millis(10));
        std::fs::read_to_string(lines).unwrap().matches("begins a trace of its own").count()
    };
    assert_eq!((spans_of("true"), spans_of("false"), spans_of("")), (1, 0, 0));
}
