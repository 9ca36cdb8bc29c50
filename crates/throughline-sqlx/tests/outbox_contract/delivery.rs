//! Order, attempts, death and coming back.

use std::time::Duration;

use throughline_sqlx::outbox::{Backoff, Event, Order, Outbox, Replay};
use throughline_testing::Capture;
use tokio::{sync::mpsc, time::timeout};
use uuid::Uuid;

use super::{
    Place,
    place::DEADLINE,
    recipient::{Answer, Recipient, Settings, until},
};

pub(crate) async fn keeps<P: Place>(place: &P) {
    a_failing_event_holds_up_all_behind_it(place).await;
    with_keys_it_holds_up_its_own_key_alone(place).await;
    the_next_attempt_is_written_down_and_bounded(place).await;
    an_event_without_attempts_left_is_dead_and_can_be_brought_back(place).await;
    an_attempt_that_takes_too_long_has_failed(place).await;
    a_clock_that_was_wrong_stops_nothing(place).await;
    whoever_stores_can_wake_the_relay(place).await;
    what_was_relayed_is_deleted_and_nothing_else(place).await;
}

async fn store_all<P: Place>(place: &P, outbox: &Outbox<P::DB>, payloads: &[&str]) -> Vec<Uuid> {
    let mut ids = Vec::new();
    for payload in payloads {
        // The first letter is the key.
        ids.push(place.stored(outbox, Event::new("order.created", *payload).key(&payload[..1])).await);
    }
    ids
}

async fn a_failing_event_holds_up_all_behind_it<P: Place>(place: &P) {
    let outbox = place.outbox("in_order").await;
    let mut recipient = Recipient::new();
    recipient.answers("b1", [Answer::Refused, Answer::Refused]);
    store_all(place, &outbox, &["a1", "b1", "c1", "a2"]).await;
    let running = recipient.relay(place.pool(), &outbox, Settings::default());
    assert_eq!(recipient.payloads(6).await, ["a1", "b1", "b1", "b1", "c1", "a2"]);
    let counters = running.stop().await;
    assert_eq!((counters.relayed, counters.failed, counters.database_failures), (4, 2, 0));
    assert!(recipient.is_quiet());
}

async fn with_keys_it_holds_up_its_own_key_alone<P: Place>(place: &P) {
    let outbox = place.outbox("by_key").await;
    let mut recipient = Recipient::new();
    recipient.answers("b1", [Answer::Refused]);
    store_all(place, &outbox, &["a1", "b1", "b2", "c1", "b3"]).await;
    // Nobody waits for the second attempt of b1: that would be an hour, or any share of it.
    let hour = Duration::from_secs(3600);
    let settings =
        Settings { order: Order::OfKeys, backoff: Backoff::new(hour, hour), ..Settings::default() };
    let running = recipient.relay(place.pool(), &outbox, settings);
    assert_eq!(recipient.payloads(3).await, ["a1", "b1", "c1"]);
    store_all(place, &outbox, &["c2"]).await;
    assert_eq!(recipient.payloads(1).await, ["c2"]);
    place.run("UPDATE by_key SET next_attempt_at = 0").await;
    assert_eq!(recipient.payloads(3).await, ["b1", "b2", "b3"]);
    assert_eq!(running.stop().await.relayed, 6);
}

async fn the_next_attempt_is_written_down_and_bounded<P: Place>(place: &P) {
    let outbox = place.outbox("backoff").await;
    let mut recipient = Recipient::new();
    let hour = Duration::from_secs(3600);
    recipient.answers("a1", [Answer::Refused]);
    store_all(place, &outbox, &["a1"]).await;
    let settings = || Settings { backoff: Backoff::new(hour, hour), ..Settings::default() };
    let running = recipient.relay(place.pool(), &outbox, settings());
    recipient.next().await;
    // It ends when the failure is in the row.
    running.stop().await;
    let wait_ms = place.number("SELECT next_attempt_at - stored_at FROM backoff").await;
    assert!((0..3_700_000).contains(&wait_ms), "{wait_ms}");
    assert_eq!(place.number("SELECT attempts FROM backoff").await, 1);
    let error = place.text("SELECT last_error FROM backoff").await.unwrap();
    assert!(error.ends_with("recipient::Refused"), "{error}");
    // The user's next write doesn't wait for it, and stands behind it.
    store_all(place, &outbox, &["a2"]).await;
    place.run("UPDATE backoff SET next_attempt_at = 0").await;
    let running = recipient.relay(place.pool(), &outbox, settings());
    let (again, next) = (recipient.next().await, recipient.next().await);
    assert_eq!((again.payload.as_str(), again.attempt), ("a1", 2));
    assert_eq!((next.payload.as_str(), next.attempt), ("a2", 1));
    running.stop().await;
}

async fn an_event_without_attempts_left_is_dead_and_can_be_brought_back<P: Place>(place: &P) {
    let capture = Capture::new("orders");
    let _guard = capture.install();
    let outbox = place.outbox("death").await;
    let mut recipient = Recipient::new();
    recipient.answers("a1", [Answer::Refused, Answer::Panics, Answer::Refused]);
    let ids = store_all(place, &outbox, &["a1", "a2"]).await;
    let (dead, mut died) = mpsc::unbounded_channel();
    let settings = Settings { attempts_max: 3, dead: Some(dead), ..Settings::default() };
    let running = recipient.relay(place.pool(), &outbox, settings);
    assert_eq!(recipient.payloads(4).await, ["a1", "a1", "a1", "a2"]);
    assert_eq!(timeout(DEADLINE, died.recv()).await.unwrap(), Some(ids[0]));
    let counters = running.stop().await;
    assert_eq!((counters.relayed, counters.failed, counters.dead), (1, 3, 1));
    let state = outbox.state(place.pool()).await.unwrap();
    assert_eq!((state.waiting, state.relayed, state.dead, state.oldest_waiting), (0, 1, 1, None));
    let errors: Vec<_> = capture.lines().into_iter().filter(|line| line["level"] == "ERROR").collect();
    let told: Vec<_> = errors.iter().filter(|line| line["message"] == "an event is dead").collect();
    assert_eq!((told.len(), &told[0]["attempts"]), (1, &3.into()));

    assert_eq!(outbox.replay(place.pool(), Replay::dead()).await.unwrap(), 1);
    let running = recipient.relay(place.pool(), &outbox, Settings::default());
    let back = recipient.next().await;
    assert_eq!((back.id, back.attempt, back.replays), (ids[0], 1, 1));
    running.stop().await;
    assert!(recipient.is_quiet());
}

async fn an_attempt_that_takes_too_long_has_failed<P: Place>(place: &P) {
    let outbox = place.outbox("too_long").await;
    let mut recipient = Recipient::new();
    recipient.answers("a1", [Answer::Hangs]);
    store_all(place, &outbox, &["a1"]).await;
    let settings = Settings { publish_timeout: Duration::from_millis(20), ..Settings::default() };
    let running = recipient.relay(place.pool(), &outbox, settings);
    assert_eq!(recipient.payloads(2).await, ["a1", "a1"]);
    let counters = running.stop().await;
    assert_eq!((counters.relayed, counters.failed), (1, 1));
}

async fn a_clock_that_was_wrong_stops_nothing<P: Place>(place: &P) {
    let outbox = place.outbox("wrong_clock").await;
    for order in [Order::OfAll, Order::OfKeys] {
        store_all(place, &outbox, &["a1", "a2"]).await;
        let year_ms = 31_536_000_000_u64;
        place.run(&format!("UPDATE wrong_clock SET next_attempt_at = stored_at + {year_ms}")).await;
        // Somebody's lease, until the year 2100 or so.
        place
            .run(&format!("UPDATE wrong_clock_lease SET holder = 'another', expires_at = 130 * {year_ms}"))
            .await;
        let mut recipient = Recipient::new();
        let running = recipient.relay(place.pool(), &outbox, Settings { order, ..Settings::default() });
        assert_eq!(recipient.payloads(2).await, ["a1", "a2"]);
        running.stop().await;
    }
}

async fn whoever_stores_can_wake_the_relay<P: Place>(place: &P) {
    let outbox = place.outbox("woken").await;
    let mut recipient = Recipient::new();
    let settings = Settings { poll_interval: Duration::from_secs(3600), ..Settings::default() };
    let running = recipient.relay(place.pool(), &outbox, settings);
    for payload in ["a1", "a2"] {
        store_all(place, &outbox, &[payload]).await;
        outbox.wake();
        assert_eq!(recipient.payloads(1).await, [payload]);
    }
    store_all(place, &outbox, &["a3"]).await;
    running.handle.wake();
    assert_eq!(recipient.payloads(1).await, ["a3"]);
    assert_eq!(running.handle.counters().failed, 0);
    running.stop().await;
}

async fn what_was_relayed_is_deleted_and_nothing_else<P: Place>(place: &P) {
    let outbox = place.outbox("retention").await;
    let mut recipient = Recipient::new();
    store_all(place, &outbox, &["a1", "a2"]).await;
    let running = recipient.relay(place.pool(), &outbox, Settings::default());
    recipient.payloads(2).await;
    running.stop().await;
    store_all(place, &outbox, &["a3"]).await;
    let hour = Duration::from_secs(3600);
    assert_eq!(outbox.delete_relayed_before(place.pool(), hour).await.unwrap(), 0);
    place.run("UPDATE retention SET settled_at = settled_at - 3700000").await;
    assert_eq!(outbox.delete_dead_before(place.pool(), hour).await.unwrap(), 0);
    place.run("UPDATE retention SET state = 2 WHERE position = 1").await;
    assert_eq!(outbox.delete_relayed_before(place.pool(), hour).await.unwrap(), 1);
    assert_eq!(outbox.delete_dead_before(place.pool(), hour).await.unwrap(), 1);
    assert_eq!(outbox.state(place.pool()).await.unwrap().waiting, 1);
    // A relay with nothing to do does it by itself.
    let settings = Settings { retention: Duration::ZERO, ..Settings::default() };
    let running = recipient.relay(place.pool(), &outbox, settings);
    recipient.payloads(1).await;
    until("it has cleaned", || running.handle.counters().deleted == 1).await;
    running.stop().await;
    assert_eq!(place.number("SELECT COUNT(*) FROM retention").await, 0);
}
