//! Rows that nobody has stored.

use throughline_sqlx::outbox::Event;
use throughline_testing::Capture;

use super::{
    Place,
    recipient::{Recipient, Settings},
};

pub(crate) async fn keeps<P: Place>(place: &P) {
    a_context_that_makes_no_sense_is_counted_and_the_event_relayed(place).await;
    a_row_that_is_no_event_is_dead_and_holds_nothing_up(place).await;
}

async fn a_context_that_makes_no_sense_is_counted_and_the_event_relayed<P: Place>(place: &P) {
    let capture = Capture::new("orders");
    let _guard = capture.install();
    let outbox = place.outbox("nonsense").await;
    let id = place.stored(&outbox, Event::new("order.created", "a1")).await;
    place
        .run(
            "UPDATE nonsense SET traceparent = '00-zz', tracestate = '=,=', baggage = 'a b=;;,tenant=acme', \
             correlation_id = 'an \"id\"', more_context = 'no colon'",
        )
        .await;
    let mut recipient = Recipient::new();
    let running = recipient.relay(place.pool(), &outbox, Settings::default());
    let delivery = recipient.next().await;
    running.stop().await;
    assert_eq!(delivery.id, id);
    assert_eq!(delivery.context.baggage().get("tenant"), Some("acme"));
    assert!(!delivery.context.correlation_id().unwrap().as_str().contains('"'));
    let counters = capture.propagation();
    assert_eq!((counters.traceparent_invalid, counters.correlation_replaced), (1, 1));
    assert_eq!(counters.baggage_members_dropped, 1);
    let span = capture.span("relay order.created");
    assert!(span.parent_span_id.is_none() && span.links.is_empty());
}

async fn a_row_that_is_no_event_is_dead_and_holds_nothing_up<P: Place>(place: &P) {
    let outbox = place.outbox("no_event").await;
    for payload in ["a1", "a2"] {
        place.stored(&outbox, Event::new("order.created", payload)).await;
    }
    place.run("UPDATE no_event SET message_id = 'not an id' WHERE position = 1").await;
    let mut recipient = Recipient::new();
    let running = recipient.relay(place.pool(), &outbox, Settings::default());
    assert_eq!(recipient.next().await.payload, "a2");
    let counters = running.stop().await;
    assert_eq!((counters.relayed, counters.unreadable, counters.dead), (1, 1, 0));
    assert_eq!(outbox.state(place.pool()).await.unwrap().dead, 1);
    assert_eq!(place.text("SELECT last_error FROM no_event WHERE position = 1").await.unwrap(), "unreadable");
}
