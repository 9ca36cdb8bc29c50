//! Event streams and websockets, over real connections.

use std::{future::poll_fn, task::Poll};

use axum::{
    Router,
    body::Body,
    extract::ws::{Message, WebSocketUpgrade},
    response::{
        Response,
        sse::{Event, Sse},
    },
    routing::any,
};
use futures_util::{SinkExt, StreamExt, stream};
use throughline_http::server::{Messages, Session, Streaming, server};
use tokio_tungstenite::tungstenite;

use crate::{
    capture::{Capture, Span},
    serve::serve,
};

/// An app whose one route sends so many events and then ends, or doesn't.
fn events(streaming: Streaming, count: usize, ends: bool) -> Router {
    let handler = async move || {
        let events = stream::iter(0..count)
            .map(|number| Ok::<_, axum::Error>(Event::default().data(number.to_string())));
        let silence = stream::pending().take(if ends { 0 } else { 1 });
        Sse::new(events.chain(silence))
    };
    Router::new().route("/events", any(handler)).layer(server().streaming(streaming))
}

/// Reads events until there are `count`, then to the end, or hangs up.
async fn listen(app: Router, count: usize, to_the_end: bool) {
    let address = serve(app).await;
    let plain = reqwest::Client::builder().no_proxy().build().unwrap();
    let mut response = plain.get(format!("http://{address}/events")).send().await.unwrap();
    let mut text = String::new();
    while text.matches("data:").count() < count {
        text.push_str(std::str::from_utf8(&response.chunk().await.unwrap().unwrap()).unwrap());
    }
    if to_the_end {
        assert_eq!(response.chunk().await.unwrap(), None);
    }
}

#[tokio::test]
async fn a_whole_stream_is_one_span_with_its_progress() {
    let (capture, _guard) = Capture::start();
    listen(events(Streaming::Whole, 12, true), 12, true).await;
    capture.wait(1).await;
    assert_eq!(
        capture.tree(),
        "GET /events: complete, 200, unset, -\n\
         \u{20} · progress throughline.http.messages=1 http.response.body.size=9\n\
         \u{20} · progress throughline.http.messages=10 http.response.body.size=90\n"
    );
    assert_eq!(capture.span().get("throughline.http.messages"), "12");
    assert_eq!(capture.active(), (0.0, 1.0));
}

#[tokio::test]
async fn hanging_up_is_how_a_stream_ends_and_no_error() {
    let (capture, _guard) = Capture::start();
    listen(events(Streaming::Whole, 2, false), 2, false).await;
    capture.wait(1).await;
    let tree = capture.tree();
    assert!(tree.starts_with("GET /events: client_gone, 200, unset, -\n  · progress"), "{tree}");
    assert!(!capture.durations()[0].contains("error.type"), "{:?}", capture.durations());
}

#[tokio::test]
async fn a_handshake_ends_with_the_head_and_the_stream_links_to_it() {
    let (capture, _guard) = Capture::start();
    listen(events(Streaming::Handshake, 2, true), 2, true).await;
    let spans = capture.wait(2).await;
    assert_eq!(
        capture.tree(),
        "GET /events: complete, 200, unset, -\n\
         GET /events stream: complete, -, unset, - ~ GET /events\n"
    );
    assert_ne!(spans[0].trace, spans[1].trace);
    let messages = |span: &Span| span.get("throughline.http.messages").to_owned();
    assert_eq!((messages(&spans[0]), messages(&spans[1])), ("-".to_owned(), "2".to_owned()));
    assert_eq!(
        (capture.active(), capture.durations().len()),
        ((0.0, 1.0), 1),
        "the stream is no active request"
    );

    let (capture, _guard) = Capture::start();
    listen(events(Streaming::Handshake, 2, false), 2, false).await;
    capture.wait(2).await;
    assert_eq!(
        capture.tree(),
        "GET /events: complete, 200, unset, -\n\
         GET /events stream: client_gone, -, unset, - ~ GET /events\n"
    );
}

#[tokio::test]
async fn other_responses_know_no_modes() {
    let (capture, _guard) = Capture::start();
    let endless = async || Body::from_stream(stream::iter(["data: a"; 3].map(Ok::<_, axum::Error>)));
    let app = Router::new().route("/events", any(endless)).layer(server().streaming(Streaming::Handshake));
    listen(app, 3, true).await;
    capture.wait(1).await;
    assert_eq!(capture.tree(), "GET /events: complete, 200, unset, -\n");
}

async fn chat(upgrade: WebSocketUpgrade) -> Response {
    let session = Session::new("chat");
    upgrade.on_upgrade(|mut socket| {
        session.run(async move |messages: Messages| {
            while let Some(Ok(message)) = socket.recv().await {
                let Message::Text(text) = message else { continue };
                assert_ne!(text.as_str(), "panic", "as it was told to");
                let answer = async {
                    tracing::info_span!("look it up").in_scope(|| ());
                    socket.send(Message::Text(text)).await
                };
                messages.handle("chat message", answer).await.unwrap();
            }
        })
    })
}

/// Says each of `words` over a websocket, and hears each but the last one back.
async fn say(words: &[&str]) {
    let address = serve(Router::new().route("/chat", any(chat)).layer(server())).await;
    let (mut socket, response) =
        tokio_tungstenite::connect_async(format!("ws://{address}/chat")).await.unwrap();
    assert_eq!(response.status(), 101);
    assert!(response.headers().contains_key("x-correlation-id"));
    for (number, word) in words.iter().enumerate() {
        socket.send(tungstenite::Message::text(*word)).await.unwrap();
        if number + 1 < words.len() {
            assert_eq!(socket.next().await.unwrap().unwrap(), tungstenite::Message::text(*word));
        }
    }
    drop(socket.close(None).await);
}

#[tokio::test]
async fn a_websocket_is_a_handshake_a_session_and_its_messages() {
    let (capture, _guard) = Capture::start();
    say(&["hello", "bye"]).await;
    let spans = capture.wait(6).await;
    assert_eq!(
        capture.tree(),
        "GET /chat: complete, 101, unset, -\n\
         chat message: complete, -, unset, - ~ chat\n\
         \u{20} look it up: -, -, unset, -\n\
         chat message: complete, -, unset, - ~ chat\n\
         \u{20} look it up: -, -, unset, -\n\
         chat: complete, -, unset, - ~ GET /chat\n"
    );
    let session = spans.iter().find(|span| span.name == "chat").unwrap();
    assert_eq!(session.get("throughline.http.messages"), "2");
    let traces: std::collections::BTreeSet<_> = spans.iter().map(|span| &span.trace).collect();
    assert_eq!(traces.len(), 4, "each is a trace of its own");
    assert_eq!(capture.active(), (0.0, 1.0));
}

#[tokio::test]
async fn a_session_that_panics() {
    let (capture, _guard) = Capture::start();
    say(&["panic"]).await;
    capture.wait(2).await;
    assert_eq!(
        capture.tree(),
        "GET /chat: complete, 101, unset, -\n\
         chat: panic, -, Error, panic ~ GET /chat\n"
    );
}

#[tokio::test]
async fn a_session_keeps_the_correlation_id_and_works_without_spans() {
    for (filtered, spans) in [(false, 2), (true, 0)] {
        let (capture, _guard) = if filtered { Capture::start_filtered() } else { Capture::start() };
        let id = throughline_core::CorrelationId::generate();
        let context = throughline_core::Context::default().with_correlation_id(id.clone());
        let session = {
            let _context = context.enter();
            Session::new("feed")
        };
        let current = || throughline_core::Context::current().correlation_id().cloned();
        session
            .run(async |messages: Messages| {
                assert_eq!(current(), Some(id.clone()));
                messages.count();
                messages.handle("item", async { assert_eq!(current(), Some(id.clone())) }).await;
            })
            .await;
        assert_eq!(capture.spans().len(), spans);
    }
}

#[tokio::test]
async fn a_session_that_is_dropped_is_cancelled() {
    let (capture, _guard) = Capture::start();
    {
        let mut run = std::pin::pin!(Session::new("feed").run(|_| std::future::pending::<()>()));
        assert!(poll_fn(|cx| Poll::Ready(run.as_mut().poll(cx).is_pending())).await);
    }
    assert_eq!(capture.tree(), "feed: cancelled, -, unset, -\n");
}
