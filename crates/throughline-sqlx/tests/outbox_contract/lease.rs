//! A lease that is longer or shorter than what else takes its time.

use std::time::Duration;

use throughline_sqlx::outbox::Event;
use tokio::time::timeout;

use super::{
    Place,
    place::DEADLINE,
    recipient::{Answer, Recipient, Settings, until},
};

pub(crate) async fn keeps<P: Place>(place: &P) {
    a_relay_that_rests_for_long_keeps_its_lease(place).await;
    what_was_read_before_the_lease_was_over_is_read_again(place).await;
}

async fn a_relay_that_rests_for_long_keeps_its_lease<P: Place>(place: &P) {
    let end = "SELECT expires_at FROM resting_lease";
    let outbox = place.outbox("resting").await;
    let recipient = Recipient::new();
    let (lease, publish_timeout) = (Duration::from_millis(3_000), Duration::from_millis(1_400));
    let poll_interval = Duration::from_secs(3600);
    let settings = Settings { lease, publish_timeout, poll_interval, ..Settings::default() };
    let running = recipient.relay(place.pool(), &outbox, settings);
    until("it rests", || running.handle.counters().polls > 0).await;
    let first = place.number(end).await;
    let renewed = async { while place.number(end).await <= first {} };
    timeout(DEADLINE, renewed).await.expect("a lease that is renewed in time");
    // Twice if this machine was so busy that the lease was over: then another relay may have had it.
    assert!(running.stop().await.polls <= 2);
}

/// Another relay may have had the lease in between, and this one has not noticed.
async fn what_was_read_before_the_lease_was_over_is_read_again<P: Place>(place: &P) {
    let outbox = place.outbox("stalled").await;
    let mut recipient = Recipient::new();
    let (lease, publish_timeout) = (Duration::from_millis(3_000), Duration::from_millis(1_400));
    recipient.answers("a1", [Answer::Stalls(lease)]);
    for payload in ["a1", "a2", "a3"] {
        place.stored(&outbox, Event::new("order.created", payload)).await;
    }
    let settings = Settings { lease, publish_timeout, ..Settings::default() };
    let running = recipient.relay(place.pool(), &outbox, settings);
    assert_eq!(recipient.next().await.payload, "a1");
    place.run("UPDATE stalled SET state = 1 WHERE position = 2").await;
    recipient.go.notify_one();
    assert_eq!(recipient.next().await.payload, "a3");
    let counters = running.stop().await;
    assert_eq!((counters.relayed, counters.leases_lost), (2, 0));
}
