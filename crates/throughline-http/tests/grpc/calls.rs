//! Names, statuses, metadata, ends: what both sides of a call record.

use http::Request;
use http_body_util::BodyExt;
use throughline_core::{Context, EdgePolicy, Propagator, with_remote};
use throughline_http::{Incoming, grpc};
use tokio_stream::StreamExt;
use tonic::{body::Body, transport::Server};
use tower::{Service, ServiceBuilder, ServiceExt, service_fn};
use tracing::Instrument;

use crate::{
    capture::{Capture, Span},
    stock::{channel, serve, streaming, unary},
};

const RESERVE: &str = "/shop.v1.Stock/Reserve";
const WATCH: &str = "/shop.v1.Stock/Watch";
const ECHO: &str = "/shop.v1.Stock/Echo";

/// Name, how it ended, code, status and kind of error.
fn outcome(span: &Span) -> String {
    let (kind, end) = (span.get("otel.kind"), span.get("throughline.rpc.end"));
    let code = span.get("rpc.response.status_code");
    format!("{kind} {}: {end}, {code}, {}, {}", span.name, span.status, span.get("error.type"))
}

/// Both sides of the one call that has ended: the server's first.
async fn both(capture: &Capture) -> [Span; 2] {
    let mut spans = capture.wait(2).await;
    spans.sort_by_key(|span| std::cmp::Reverse(span.get("otel.kind").to_owned()));
    spans.try_into().unwrap()
}

async fn outcomes(capture: &Capture) -> [String; 2] {
    both(capture).await.map(|span| outcome(&span))
}

#[tokio::test]
async fn a_call_ends_with_its_status_and_each_side_judges_it_for_itself() {
    for (item, server, client) in [
        ("umbrella", "complete, OK, unset, -", "complete, OK, unset, -"),
        ("3", "complete, INVALID_ARGUMENT, unset, -", "complete, INVALID_ARGUMENT, Error, INVALID_ARGUMENT"),
        ("5", "complete, NOT_FOUND, unset, -", "complete, NOT_FOUND, Error, NOT_FOUND"),
        ("13", "complete, INTERNAL, Error, INTERNAL", "complete, INTERNAL, Error, INTERNAL"),
        ("14", "complete, UNAVAILABLE, Error, UNAVAILABLE", "complete, UNAVAILABLE, Error, UNAVAILABLE"),
    ] {
        let (capture, _guard) = Capture::start();
        let answer = unary(channel(serve().await), RESERVE, item).await;
        assert_eq!(answer.is_ok(), item == "umbrella", "{answer:?}");
        let expected = [
            format!("server shop.v1.Stock/Reserve: {server}"),
            format!("client shop.v1.Stock/Reserve: {client}"),
        ];
        assert_eq!(outcomes(&capture).await, expected);
        assert!(!format!("{:?}", capture.spans()).contains("secret"));
    }
}

#[tokio::test]
async fn attributes_and_metrics_by_the_conventions() {
    let (capture, _guard) = Capture::start();
    let address = serve().await;
    unary(channel(address), RESERVE, "5").await.unwrap_err();
    let port = address.port().to_string();
    let [server, client] = both(&capture).await;

    let listed = |span: &Span| {
        span.attributes.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join("\n")
    };
    let peer = server.get("network.peer.port").to_owned();
    assert_eq!(
        listed(&server),
        format!(
            "network.peer.address=127.0.0.1\nnetwork.peer.port={peer}\notel.kind=server\nrpc.method=shop.v1.Stock/Reserve\n\
             rpc.response.status_code=NOT_FOUND\nrpc.system.name=grpc\nserver.address=127.0.0.1\nserver.port={port}\n\
             throughline.rpc.end=complete"
        )
    );
    assert_eq!(
        listed(&client),
        format!(
            "error.type=NOT_FOUND\notel.kind=client\nrpc.method=shop.v1.Stock/Reserve\n\
             rpc.response.status_code=NOT_FOUND\nrpc.system.name=grpc\nserver.address=127.0.0.1\nserver.port={port}\n\
             throughline.rpc.end=complete"
        )
    );
    let mut durations = capture.durations();
    durations.sort();
    assert_eq!(
        durations,
        [
            format!(
                "rpc.client.call.duration rpc.system.name=grpc rpc.method=shop.v1.Stock/Reserve \
                 rpc.response.status_code=NOT_FOUND error.type=NOT_FOUND server.address=127.0.0.1 server.port={port}"
            ),
            "rpc.server.call.duration rpc.system.name=grpc rpc.method=shop.v1.Stock/Reserve \
             rpc.response.status_code=NOT_FOUND"
                .to_owned(),
        ]
    );
}

#[tokio::test]
async fn a_stream_is_one_span_to_its_last_message() {
    for (item, end) in
        [("umbrella", "complete, OK, unset, -"), ("fail", "complete, DATA_LOSS, Error, DATA_LOSS")]
    {
        let (capture, _guard) = Capture::start();
        let mut messages = streaming(channel(serve().await), WATCH, &[item]).await.unwrap();
        assert_eq!(messages.next().await.unwrap().unwrap(), "3 left");
        assert!(!capture.spans().iter().any(|span| span.get("otel.kind") == "client"), "it is not over yet");
        while messages.next().await.is_some() {}
        let expected = ["server", "client"].map(|side| format!("{side} shop.v1.Stock/Watch: {end}"));
        assert_eq!(outcomes(&capture).await, expected);
    }
}

#[tokio::test]
async fn both_directions_can_stream() {
    let (capture, _guard) = Capture::start();
    let messages = streaming(channel(serve().await), ECHO, &["a", "b", "c"]).await.unwrap();
    let echoed: Vec<String> = messages.map(Result::unwrap).collect().await;
    assert_eq!(echoed, ["a", "b", "c"]);
    let expected =
        ["server", "client"].map(|side| format!("{side} shop.v1.Stock/Echo: complete, OK, unset, -"));
    assert_eq!(outcomes(&capture).await, expected);
}

#[tokio::test]
async fn a_caller_that_gives_up_is_no_failure() {
    let (capture, _guard) = Capture::start();
    let mut messages = streaming(channel(serve().await), WATCH, &["hang"]).await.unwrap();
    messages.next().await.unwrap().unwrap();
    drop(messages);
    assert_eq!(
        outcomes(&capture).await,
        [
            "server shop.v1.Stock/Watch: client_gone, CANCELLED, unset, -",
            "client shop.v1.Stock/Watch: cancelled, CANCELLED, unset, -",
        ]
    );
}

#[tokio::test]
async fn a_handler_that_panics_fails_its_span() {
    let (capture, _guard) = Capture::start();
    unary(channel(serve().await), RESERVE, "panic").await.unwrap_err();
    let [server, client] = both(&capture).await;
    assert_eq!(outcome(&server), "server shop.v1.Stock/Reserve: panic, -, Error, panic");
    assert_eq!(client.status, "Error", "{client:?}");
}

#[tokio::test]
async fn a_server_that_is_not_there_fails_the_call() {
    let (capture, _guard) = Capture::start();
    let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    unary(channel(address), RESERVE, "umbrella").await.unwrap_err();
    let span = capture.span();
    assert_eq!(
        outcome(&span),
        "client shop.v1.Stock/Reserve: error, -, Error, tonic::transport::error::Error"
    );
}

#[tokio::test]
async fn a_method_that_does_not_exist_names_nothing() {
    let (capture, _guard) = Capture::start();
    for method in ["/shop.v1.Stock/MadeUp", "/shop.v1.Nobody/Reserve"] {
        unary(channel(serve().await), method, "").await.unwrap_err();
    }
    let spans = capture.wait(4).await;
    let servers: Vec<_> = spans.iter().filter(|span| span.get("otel.kind") == "server").collect();
    for (span, original) in servers.iter().zip(["shop.v1.Stock/MadeUp", "shop.v1.Nobody/Reserve"]) {
        assert_eq!(outcome(span), "server grpc: complete, UNIMPLEMENTED, Error, UNIMPLEMENTED");
        assert_eq!((span.get("rpc.method"), span.get("rpc.method_original")), ("_OTHER", original));
    }
    let of_servers: Vec<_> =
        capture.durations().into_iter().filter(|duration| duration.starts_with("rpc.server")).collect();
    assert_eq!(of_servers.len(), 2);
    assert!(of_servers.iter().all(|duration| duration.contains("rpc.method=_OTHER")), "{of_servers:?}");
}

#[tokio::test]
async fn a_trace_goes_through_and_the_correlation_id_comes_back() {
    let (capture, _guard) = Capture::start();
    let incoming = vec![
        ("traceparent".to_owned(), "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-03".to_owned()),
        ("x-correlation-id".to_owned(), "order-17".to_owned()),
    ];
    let incoming = Propagator::default().extract(&incoming, &EdgePolicy::trust());
    let root = with_remote(&incoming, || tracing::info_span!("root"));
    let call = unary(channel(serve().await), RESERVE, "umbrella").instrument(root.clone());
    call.await.unwrap();
    drop(root);
    let spans = capture.wait(3).await;
    let of = |kind: &str| spans.iter().find(|span| span.get("otel.kind") == kind).unwrap();
    assert!(spans.iter().all(|span| span.trace == "0af7651916cd43dd8448eb211c80319c"));
    assert_eq!(of("server").parent, Some(of("client").id.clone()));
}

#[tokio::test]
async fn a_stranger_can_be_ignored_and_learns_the_new_correlation_id() {
    let (capture, _guard) = Capture::start();
    let handler = service_fn(async |_: Request<Body>| {
        assert!(Context::current().baggage().is_empty());
        Ok::<_, std::convert::Infallible>(tonic::Status::ok("").into_http::<Body>())
    });
    let service = ServiceBuilder::new().layer(grpc::server().edge(EdgePolicy::ignore())).service(handler);
    let request = Request::post(RESERVE)
        .header("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-03")
        .header("baggage", "tenant=t1")
        .header("x-correlation-id", "theirs")
        .body(Body::empty())
        .unwrap();
    let answer = service.oneshot(request).await.unwrap();
    assert_ne!(answer.headers()["x-correlation-id"], "theirs");
    answer.into_body().collect().await.unwrap();
    assert_ne!(capture.span().trace, "0af7651916cd43dd8448eb211c80319c");
}

#[tokio::test]
async fn a_public_entrance_starts_a_trace_that_links_and_may_choose_by_method() {
    const CALLER: &str = "b7ad6b7169203331";
    let by_method = |call: &Incoming<'_>| match call.route() {
        Some("shop.v1.Stock/Reserve") => EdgePolicy::restart(),
        _ => EdgePolicy::ignore(),
    };
    for (layer, path, links, baggage) in [
        (grpc::server().public(), RESERVE, &[CALLER][..], ""),
        (grpc::server().edge(by_method), RESERVE, &[CALLER], "tenant=t1"),
        (grpc::server().edge(by_method), "/else", &[], ""),
    ] {
        let (capture, _guard) = Capture::start();
        let handler = service_fn(move |_: Request<Body>| async move {
            assert_eq!(Context::current().baggage().to_header(), baggage);
            Ok::<_, std::convert::Infallible>(tonic::Status::ok("").into_http::<Body>())
        });
        let request = Request::post(path)
            .header("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-03")
            .header("baggage", "tenant=t1")
            .body(Body::empty())
            .unwrap();
        let answer = ServiceBuilder::new().layer(layer).service(handler).oneshot(request).await.unwrap();
        answer.into_body().collect().await.unwrap();
        let span = capture.span();
        assert_eq!(
            (span.parent, span.links.iter().map(String::as_str).collect::<Vec<_>>()),
            (None, links.to_vec())
        );
    }
}

#[tokio::test]
async fn an_answer_that_is_not_grpc_is_translated() {
    let (capture, _guard) = Capture::start();
    let proxy = service_fn(async |_: Request<Body>| {
        let answer = http::Response::builder().status(503).body(Body::empty()).unwrap();
        Ok::<_, std::convert::Infallible>(answer)
    });
    let mut service = ServiceBuilder::new().layer(grpc::client()).service(proxy);
    let request = Request::post(format!("http://stock.internal:50051{RESERVE}")).body(Body::empty()).unwrap();
    let answer = service.ready().await.unwrap().call(request).await.unwrap();
    answer.into_body().collect().await.unwrap();
    let span = capture.span();
    assert_eq!(outcome(&span), "client shop.v1.Stock/Reserve: complete, UNAVAILABLE, Error, UNAVAILABLE");
    assert_eq!((span.get("server.address"), span.get("server.port")), ("stock.internal", "50051"));
}

#[tokio::test]
async fn a_filtered_span_passes_the_trace_on() {
    let (capture, _guard) = Capture::start_filtered();
    let seen = service_fn(async |request: Request<Body>| {
        let traceparent = request.headers()["traceparent"].to_str().unwrap().to_owned();
        assert_eq!(traceparent, "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-03");
        Ok::<_, std::convert::Infallible>(tonic::Status::ok("").into_http::<Body>())
    });
    let inner = ServiceBuilder::new().layer(grpc::client()).service(seen);
    let handler = service_fn(move |_: Request<Body>| {
        inner.clone().oneshot(Request::post(RESERVE).body(Body::empty()).unwrap())
    });
    let service = ServiceBuilder::new().layer(grpc::server()).service(handler);
    let request = Request::post(RESERVE)
        .header("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-03")
        .body(Body::empty())
        .unwrap();
    service.oneshot(request).await.unwrap().into_body().collect().await.unwrap();
    assert!(capture.spans().is_empty());
}

/// The layer goes where a server's own builder wants it.
#[test]
fn a_builder_takes_the_layer() {
    let _builder = Server::builder().layer(grpc::server());
}
