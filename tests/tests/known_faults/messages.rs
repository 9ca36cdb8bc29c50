//! Messages: nobody else's clients for Rust say anything of a trace.

use throughline::{
    Context, EdgePolicy,
    core::{Metric, Propagator},
    messaging::{Endpoint, Message, channel},
};
use throughline_testing::{Capture, collector::AttributeValue};

use crate::scene::Headers;

const TOPIC: &str = "order.created";

/// No producer and no consumer spans: every consumer starts a trace of its own.
#[tokio::test]
async fn one_message_is_one_trace() {
    let capture = Capture::new("orders");
    let _guard = capture.install();
    let (orders, mut incoming) = channel::channel(TOPIC, 1);
    orders.send("umbrella").await.unwrap();
    let delivery = incoming.recv().await.unwrap();
    delivery.process(async |_| Ok::<_, std::fmt::Error>(())).await.unwrap();
    assert_eq!(
        capture.tree(),
        "orders: send order.created (producer) #1\n  orders: process order.created (consumer) #2"
    );
}

/// No links for batches: all messages but one lose their story.
#[tokio::test]
async fn a_batch_links_to_each_sender() {
    let capture = Capture::new("orders");
    let _guard = capture.install();
    let (orders, mut incoming) = channel::channel(TOPIC, 2);
    for item in ["umbrella", "hat"] {
        orders.send(item).await.unwrap();
    }
    let batch = incoming.recv_many(2).await.unwrap();
    batch.process(async |items: Vec<&str>| assert_eq!(items.len(), 2)).await;
    for name in ["receive order.created", "process order.created"] {
        assert_eq!(capture.span(name).links.len(), 2, "{}", capture.tree());
    }
}

/// A carrier of headers is written by hand for each broker.
#[tokio::test]
async fn any_transport_with_named_texts_is_a_carrier() {
    let capture = Capture::new("orders");
    let _guard = capture.install();
    let broker = Endpoint::new("stan");
    let (message, mut headers) = (Message::to(TOPIC), Headers::new());
    broker.send("publish", &message, &mut headers).run(async {}).await;
    let processing = broker.process("process", &message, &headers);
    processing.run(async {}).await;
    assert_eq!(
        capture.span("process order.created").parent_span_id,
        Some(capture.span("publish order.created").span_id)
    );
}

/// A context in a message that is sent again is doubled, or overwritten.
#[tokio::test]
async fn a_message_that_is_sent_on_keeps_the_context_that_it_was_created_in() {
    let capture = Capture::new("orders");
    let _guard = capture.install();
    let (orders, mut incoming) = channel::channel(TOPIC, 1);
    let (dead_letters, mut dead) = channel::channel("dead", 1);
    orders.send("umbrella").await.unwrap();
    dead_letters.forward(incoming.recv().await.unwrap()).await.unwrap();
    dead.recv().await.unwrap().process(async |_| ()).await;
    assert_eq!(capture.span("process dead").trace_id, capture.span("send order.created").trace_id);
}

/// No stored context: what is resumed hours later has no story.
#[test]
fn a_stored_context_is_resumed() {
    let capture = Capture::new("orders");
    capture.run(|| {
        let mut row = Headers::new();
        tracing::info_span!("write").in_scope(|| Propagator::default().inject(&Context::current(), &mut row));
        let stored = Propagator::default().extract(&row, &EdgePolicy::trust());
        let _stored = stored.enter();
        tracing::info_span!("hours later").in_scope(|| ());
    });
    assert_eq!(capture.span("hours later").parent_span_id, Some(capture.span("write").span_id));
}

/// No time in the queue.
#[tokio::test]
async fn a_message_says_how_long_it_waited() {
    let capture = Capture::new("orders");
    let _guard = capture.install();
    let (orders, mut incoming) = channel::channel(TOPIC, 1);
    orders.send(()).await.unwrap();
    incoming.recv().await.unwrap().process(async |()| ()).await;
    let waited = capture.span("process order.created");
    let waited = waited.attribute("throughline.messaging.queue_time_ms").and_then(AttributeValue::as_f64);
    assert!(waited.is_some_and(|millis| millis >= 0.0), "{waited:?}");
}

/// No metrics of messages.
#[tokio::test]
async fn messages_are_measured() {
    let capture = Capture::new("orders");
    let _guard = capture.install();
    let (orders, mut incoming) = channel::channel(TOPIC, 1);
    orders.send(()).await.unwrap();
    incoming.recv().await.unwrap().process(async |()| ()).await;
    for metric in [
        Metric::MessagingSent,
        Metric::MessagingConsumed,
        Metric::MessagingOperationDuration,
        Metric::MessagingProcessDuration,
    ] {
        assert_eq!(capture.measurements(metric).len(), 1, "{metric:?}");
    }
}
