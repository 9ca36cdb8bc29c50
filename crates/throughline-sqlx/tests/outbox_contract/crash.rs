//! What is left behind by a relay that is gone, and by a database that is away.

use std::time::Duration;

use throughline_sqlx::{
    inbox::Inbox,
    outbox::{Event, Outbox},
};

use super::{
    Place,
    recipient::{Answer, Delivery, Recipient, Settings, until},
};

pub(crate) async fn keeps<P: Place>(place: &P) {
    another_relay_takes_over_when_the_lease_is_over(place).await;
    a_lease_that_was_lost_is_counted_and_waited_for(place).await;
    a_relay_that_ends_gives_its_lease_back(place).await;
    what_was_handed_on_but_not_marked_comes_again_and_is_done_once(place).await;
    a_mark_that_fails_is_made_up_for(place).await;
    with_the_lease_goes_what_was_left_to_mark(place).await;
    a_relay_waits_for_its_tables(place).await;
}

/// Nobody wants to wait for half a minute.
fn short() -> Settings {
    let (lease, publish_timeout) = (Duration::from_millis(2_000), Duration::from_millis(950));
    Settings { lease, publish_timeout, ..Settings::default() }
}

async fn another_relay_takes_over_when_the_lease_is_over<P: Place>(place: &P) {
    let outbox = place.outbox("takeover").await;
    let (mut first, mut second) = (Recipient::new(), Recipient::new());
    let running = first.relay(place.pool(), &outbox, short());
    place.stored(&outbox, Event::new("order.created", "a1")).await;
    assert_eq!(first.next().await.payload, "a1");
    let standing_by = second.relay(place.pool(), &outbox, short());
    first.answers("a2", [Answer::Hangs]);
    let id = place.stored(&outbox, Event::new("order.created", "a2")).await;
    assert_eq!(first.next().await.id, id);
    // The first one has the lease and an attempt under way; the second has seen the same table for a while.
    assert!(second.is_quiet());
    running.kill().await;
    let again = second.next().await;
    assert_eq!((again.id, again.attempt), (id, 1));
    let counters = standing_by.stop().await;
    assert_eq!((counters.relayed, counters.leases_lost), (1, 0));
}

async fn a_lease_that_was_lost_is_counted_and_waited_for<P: Place>(place: &P) {
    let outbox = place.outbox("lost_lease").await;
    let mut recipient = Recipient::new();
    let running = recipient.relay(place.pool(), &outbox, short());
    until("it has the lease", || running.handle.counters().polls > 0).await;
    place.run("UPDATE lost_lease_lease SET holder = 'another', expires_at = expires_at + 60000").await;
    until("it is missed", || running.handle.counters().leases_lost == 1).await;
    place.run("UPDATE lost_lease_lease SET expires_at = 0").await;
    place.stored(&outbox, Event::new("order.created", "a1")).await;
    assert_eq!(recipient.next().await.payload, "a1");
    running.stop().await;
}

async fn a_relay_that_ends_gives_its_lease_back<P: Place>(place: &P) {
    let outbox = place.outbox("handover").await;
    for payload in ["a1", "a2", "a3"] {
        place.stored(&outbox, Event::new("order.created", payload)).await;
        let mut recipient = Recipient::new();
        recipient.answers(payload, [Answer::Waits]);
        // The default lease is as long as the whole test may take.
        let running = recipient.relay(place.pool(), &outbox, Settings::default());
        assert_eq!(recipient.next().await.payload, payload);
        // It is told to end while an attempt is under way, and lets that end first.
        let stopping = running.stop();
        recipient.go.notify_one();
        assert_eq!(stopping.await.relayed, 1);
    }
    assert_eq!(outbox.state(place.pool()).await.unwrap().relayed, 3);
}

async fn what_was_handed_on_but_not_marked_comes_again_and_is_done_once<P: Place>(place: &P) {
    let (outbox, inbox) =
        (place.outbox("duplicate").await, Inbox::<P::DB>::named("duplicate_inbox").unwrap());
    inbox.create_tables(place.pool()).await.unwrap();
    place.run("CREATE TABLE duplicate_work (payload VARCHAR(20))").await;
    let mut recipient = Recipient::new();
    recipient.answers("a1", [Answer::Hangs]);
    place.stored(&outbox, Event::new("order.created", "a1")).await;
    let running = recipient.relay(place.pool(), &outbox, short());
    let first = recipient.next().await;
    assert!(work(place, &inbox, &first).await);
    running.kill().await;

    let running = recipient.relay(place.pool(), &outbox, short());
    let again = recipient.next().await;
    assert_eq!(again.id, first.id);
    assert!(!work(place, &inbox, &again).await);
    running.stop().await;
    assert_eq!(place.number("SELECT COUNT(*) FROM duplicate_work").await, 1);
}

/// A consumer's work, and whether it was done.
async fn work<P: Place>(place: &P, inbox: &Inbox<P::DB>, delivery: &Delivery) -> bool {
    let mut transaction = place.begin().await;
    let first = inbox.first_time(&mut transaction, "fulfilment", &delivery.id.to_string()).await.unwrap();
    if first {
        P::execute(&mut transaction, "INSERT INTO duplicate_work VALUES ('done')".to_owned()).await;
    }
    transaction.commit().await.unwrap();
    first
}

async fn a_mark_that_fails_is_made_up_for<P: Place>(place: &P) {
    let outbox = place.outbox("unmarked").await;
    let mut recipient = Recipient::new();
    recipient.answers("a1", [Answer::Waits]);
    for payload in ["a1", "a2"] {
        place.stored(&outbox, Event::new("order.created", payload)).await;
    }
    let running = recipient.relay(place.pool(), &outbox, Settings::default());
    assert_eq!(recipient.next().await.payload, "a1");
    place.run("ALTER TABLE unmarked RENAME TO elsewhere").await;
    recipient.go.notify_one();
    until("the mark fails", || running.handle.counters().unmarked == 1).await;
    place.run("ALTER TABLE elsewhere RENAME TO unmarked").await;
    assert_eq!(recipient.next().await.payload, "a2");
    let counters = running.stop().await;
    assert_eq!((counters.relayed, counters.unmarked), (2, 1));
    assert!(counters.database_failures > 0 && recipient.is_quiet());
    assert_eq!(outbox.state(place.pool()).await.unwrap().relayed, 2);
}

/// Meanwhile the event may have been relayed and replayed: marking it now could swallow that.
async fn with_the_lease_goes_what_was_left_to_mark<P: Place>(place: &P) {
    let outbox = place.outbox("taken_over").await;
    let mut recipient = Recipient::new();
    recipient.answers("a1", [Answer::Waits]);
    place.stored(&outbox, Event::new("order.created", "a1")).await;
    let running = recipient.relay(place.pool(), &outbox, short());
    let first = recipient.next().await;
    place.run("ALTER TABLE taken_over RENAME TO out_of_reach").await;
    recipient.go.notify_one();
    until("the mark fails", || running.handle.counters().unmarked == 1).await;
    place.run("UPDATE taken_over_lease SET holder = 'another', expires_at = expires_at + 60000").await;
    until("the lease is missed", || running.handle.counters().leases_lost == 1).await;
    place.run("UPDATE taken_over_lease SET expires_at = 0").await;
    place.run("ALTER TABLE out_of_reach RENAME TO taken_over").await;
    assert_eq!(recipient.next().await.id, first.id);
    assert_eq!(running.stop().await.relayed, 2);
}

async fn a_relay_waits_for_its_tables<P: Place>(place: &P) {
    let outbox = Outbox::<P::DB>::named("made_later").unwrap();
    let mut recipient = Recipient::new();
    let running = recipient.relay(place.pool(), &outbox, Settings::default());
    until("the database refuses", || running.handle.counters().database_failures > 1).await;
    outbox.create_tables(place.pool()).await.unwrap();
    place.stored(&outbox, Event::new("order.created", "a1")).await;
    // Whoever takes the row of the lease away doesn't stop anything either.
    assert_eq!(recipient.next().await.payload, "a1");
    running.stop().await;
    place.run("DELETE FROM made_later_lease").await;
    place.stored(&outbox, Event::new("order.created", "a2")).await;
    let running = recipient.relay(place.pool(), &outbox, Settings::default());
    assert_eq!(recipient.next().await.payload, "a2");
    assert_eq!(running.stop().await.relayed, 1);
}
