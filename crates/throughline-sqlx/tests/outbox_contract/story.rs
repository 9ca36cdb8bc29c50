//! One story from the write to the recipient.

use std::time::Duration;

use throughline_core::{
    Baggage, Carry, Context, CorrelationId, Metric, OrphanKind, Orphans, SpanExt, with_remote,
};
use throughline_sqlx::outbox::{Event, Replay};
use throughline_testing::{Capture, TreeText};
use tokio::time::timeout;
use tracing::subscriber::NoSubscriber;
use uuid::Uuid;

use super::{
    Place,
    place::DEADLINE,
    recipient::{Answer, Recipient, Settings, until},
};

pub(crate) async fn keeps<P: Place>(place: &P) {
    a_relayed_event_belongs_to_the_trace_of_its_write(place).await;
    each_attempt_is_seen_and_an_idle_relay_is_not(place).await;
    an_old_event_begins_a_trace_that_links_to_the_old_one(place).await;
    without_spans_the_context_goes_through(place).await;
    an_event_from_nowhere_is_an_orphan(place).await;
}

/// Stores an event inside a request of a customer with a correlation id and baggage.
async fn order<P: Place>(place: &P, table: &str) -> Uuid {
    let id = CorrelationId::parse(b"customer-1").unwrap();
    let baggage = Baggage::default().insert("tenant", "acme").unwrap();
    let context = Context::default().with_correlation_id(id).with_baggage(baggage);
    let (request, inside) = with_remote(&context, || {
        let request = tracing::info_span!("POST /orders");
        let inside = request.context();
        (request, inside)
    });
    let outbox = place.outbox(table).await;
    // Not inside the span itself: SQLite's driver may be the last to let go of the `create` span, on a thread of its own that
    // knows nothing of a test's subscriber, and would never let go of its parent.
    let id = place.stored(&outbox, Event::new("order.created", "7").key("order-7")).carry_in(inside).await;
    drop(request);
    id
}

/// Waits until so many spans have ended. A driver that works in a thread of its own keeps the span that it was called in a moment
/// longer than its caller does.
async fn ended(capture: &Capture, count: usize) {
    let enough = || capture.spans().len() >= count;
    let all = async {
        while !enough() {
            tokio::task::yield_now().await;
        }
    };
    let ended = timeout(DEADLINE, all).await;
    ended.unwrap_or_else(|_| panic!("not {count} spans in time, but\n{}", capture.tree()));
}

async fn a_relayed_event_belongs_to_the_trace_of_its_write<P: Place>(place: &P) {
    let capture = Capture::new("orders");
    let _guard = capture.install();
    let id = order(place, "story").await;
    assert_eq!(place.text("SELECT correlation_id FROM story").await.as_deref(), Some("customer-1"));
    assert_eq!(place.text("SELECT baggage FROM story").await.as_deref(), Some("tenant=acme"));

    let mut recipient = Recipient::new();
    // A relay that somebody starts inside a span of theirs is still no part of that.
    let outbox = place.outbox("story").await;
    let boot = tracing::info_span!("boot");
    let running = boot.in_scope(|| recipient.relay(place.pool(), &outbox, Settings::default()));
    let delivery = recipient.next().await;
    assert_eq!((delivery.id, delivery.attempt, delivery.replays), (id, 1, 0));
    assert_eq!(delivery.context.correlation_id().unwrap().as_str(), "customer-1");
    assert_eq!(delivery.context.baggage().get("tenant"), Some("acme"));
    assert_eq!(running.stop().await.relayed, 1);
    drop(boot);
    ended(&capture, 5).await;

    let text = TreeText::new().attributes([
        "messaging.system",
        "messaging.operation.type",
        "throughline.outbox.attempt",
        "throughline.messaging.end",
    ]);
    assert_eq!(
        capture.tree_with(&text),
        "\
orders: POST /orders (internal) #1
  orders: create order.created (producer) #2 messaging.system=outbox messaging.operation.type=create
    orders: relay order.created (consumer) #3 messaging.system=outbox messaging.operation.type=process throughline.outbox.attempt=1 throughline.messaging.end=complete
      orders: publish (internal) #4
orders: boot (internal) #5"
    );
    for name in ["create order.created", "relay order.created"] {
        let span = capture.span(name);
        assert_eq!(*span.attribute("messaging.message.id").unwrap(), *id.to_string());
        assert_eq!(*span.attribute("messaging.message.conversation_id").unwrap(), *"customer-1");
        assert_eq!(*span.attribute("correlation.id").unwrap(), *"customer-1");
    }
    assert!(capture.span("relay order.created").attribute("throughline.messaging.queue_time_ms").is_some());
    assert_eq!(capture.measurements(Metric::OutboxQueueTime).len(), 1);
    assert_eq!(results(&capture), ["relayed"]);
}

fn results(capture: &Capture) -> Vec<String> {
    let result = |one: &throughline_testing::Measurement| {
        one.attributes.iter().map(|(_, value)| value.as_str()).collect::<Vec<_>>().join(" ")
    };
    capture.measurements(Metric::OutboxRelays).iter().map(result).collect()
}

async fn each_attempt_is_seen_and_an_idle_relay_is_not<P: Place>(place: &P) {
    let capture = Capture::new("orders");
    let _guard = capture.install();
    order(place, "attempts").await;
    let mut recipient = Recipient::new();
    recipient.answers("7", [Answer::Refused, Answer::Panics]);
    let outbox = place.outbox("attempts").await;
    let running = recipient.relay(place.pool(), &outbox, Settings::default());
    for attempt in 1..=3 {
        assert_eq!(recipient.next().await.attempt, attempt);
    }
    let polls = running.handle.counters().polls;
    until("it looks in vain", || running.handle.counters().polls > polls + 3).await;
    let counters = running.stop().await;
    assert_eq!((counters.relayed, counters.failed, counters.dead), (1, 2, 0));
    ended(&capture, 8).await;
    let text =
        TreeText::new().attributes(["throughline.outbox.attempt", "throughline.messaging.end", "error.type"]);
    assert_eq!(
        capture.tree_with(&text),
        "\
orders: POST /orders (internal) #1
  orders: create order.created (producer) #2
    orders: relay order.created (consumer) #3 error throughline.outbox.attempt=1 throughline.messaging.end=error error.type=outbox::outbox_contract::recipient::Refused
      orders: publish (internal) #4
    orders: relay order.created (consumer) #5 error throughline.outbox.attempt=2 throughline.messaging.end=panic error.type=panic
      orders: publish (internal) #6
    orders: relay order.created (consumer) #7 throughline.outbox.attempt=3 throughline.messaging.end=complete
      orders: publish (internal) #8"
    );
    let warnings: Vec<_> = capture.lines().into_iter().filter(|line| line["level"] == "WARN").collect();
    assert_eq!(warnings.len(), 2);
    for warning in warnings {
        assert_eq!(warning["message"], "an event was not relayed");
        assert_eq!(warning["correlation_id"], "customer-1");
    }
}

async fn an_old_event_begins_a_trace_that_links_to_the_old_one<P: Place>(place: &P) {
    let capture = Capture::new("orders");
    let _guard = capture.install();
    let id = order(place, "old").await;
    let mut recipient = Recipient::new();
    let outbox = place.outbox("old").await;
    let running = recipient.relay(place.pool(), &outbox, Settings::default());
    recipient.next().await;
    running.stop().await;
    place
        .run("UPDATE old SET stored_at = stored_at - 4000000, waiting_since = waiting_since - 4000000")
        .await;
    assert_eq!(outbox.replay(place.pool(), Replay::all()).await.unwrap(), 1);
    let running = recipient.relay(place.pool(), &outbox, Settings::default());
    let delivery = recipient.next().await;
    assert_eq!((delivery.id, delivery.replays, delivery.attempt), (id, 1, 1));
    assert_eq!(delivery.context.correlation_id().unwrap().as_str(), "customer-1");
    assert_eq!(delivery.context.baggage().get("tenant"), Some("acme"));
    running.stop().await;
    ended(&capture, 6).await;
    assert_eq!(
        capture.tree_with(&TreeText::new().attributes(["throughline.outbox.replay"])),
        "\
orders: POST /orders (internal) #1
  orders: create order.created (producer) #2
    orders: relay order.created (consumer) #3
      orders: publish (internal) #4
orders: relay order.created (consumer) #5 links #2 throughline.outbox.replay=1
  orders: publish (internal) #6"
    );
    let waited = capture.measurements(Metric::OutboxQueueTime)[1].value;
    assert!(
        waited < Duration::from_secs(60).as_secs_f64(),
        "a replay waits from when it was asked for, not {waited} s"
    );
}

async fn without_spans_the_context_goes_through<P: Place>(place: &P) {
    let _nobody = tracing::subscriber::set_default(NoSubscriber::new());
    order(place, "dark").await;
    let mut recipient = Recipient::new();
    let outbox = place.outbox("dark").await;
    let running = recipient.relay(place.pool(), &outbox, Settings::default());
    let delivery = recipient.next().await;
    running.stop().await;
    assert_eq!(delivery.context.correlation_id().unwrap().as_str(), "customer-1");
    assert_eq!(delivery.context.baggage().get("tenant"), Some("acme"));
}

async fn an_event_from_nowhere_is_an_orphan<P: Place>(place: &P) {
    let orphans = Orphans::new();
    let capture = Capture::builder("orders").orphans(orphans.clone()).build();
    let _guard = capture.install();
    let outbox = place.outbox("orphan").await;
    place.stored(&outbox, Event::new("order.created", "7")).carry_in(Context::root()).await;
    assert!(orphans.found().is_empty());
    place.stored(&outbox, Event::new("order.created", "7")).await;
    let found = orphans.found();
    assert_eq!((found[0].name(), found[0].kind()), ("create order.created", OrphanKind::Message));
    assert!(found[0].file().ends_with("place.rs"), "{}", found[0].file());
}
