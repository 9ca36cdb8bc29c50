//! A death is told when it was written down: once, and not without.

use std::time::Duration;

use throughline_sqlx::outbox::{Event, Outbox};
use throughline_testing::Capture;
use tokio::sync::mpsc;
use uuid::Uuid;

use super::{
    Place,
    recipient::{Answer, Recipient, Running, Settings, until},
};

pub(crate) async fn keeps<P: Place>(place: &P) {
    what_another_has_settled_did_not_die(place).await;
    a_death_that_was_not_written_is_written_before_anything_else(place).await;
    a_death_whose_answer_was_lost_is_told(place).await;
    a_death_whose_answer_was_lost_with_the_lease_is_told(place).await;
}

/// A relay whose only attempt fails when the test wants it.
struct Dying<P: Place> {
    outbox: Outbox<P::DB>,
    recipient: Recipient,
    running: Running,
    died: mpsc::UnboundedReceiver<Uuid>,
    id: Uuid,
}

async fn dying<P: Place>(place: &P, table: &str) -> Dying<P> {
    let outbox = place.outbox(table).await;
    let mut recipient = Recipient::new();
    recipient.answers("a1", [Answer::RefusesLater]);
    let id = place.stored(&outbox, Event::new("order.created", "a1")).await;
    let (dead, died) = mpsc::unbounded_channel();
    let (lease, publish_timeout) = (Duration::from_millis(5_000), Duration::from_millis(2_400));
    let settings =
        Settings { attempts_max: 1, dead: Some(dead), lease, publish_timeout, ..Settings::default() };
    let running = recipient.relay(place.pool(), &outbox, settings);
    assert_eq!(recipient.next().await.id, id);
    Dying { outbox, recipient, running, died, id }
}

impl<P: Place> Dying<P> {
    async fn told_once(mut self) {
        until("it is told", || self.running.handle.counters().dead == 1).await;
        self.running.stop().await;
        assert!(self.recipient.is_quiet());
        assert_eq!((self.died.try_recv().ok(), self.died.try_recv().ok()), (Some(self.id), None));
    }
}

async fn what_another_has_settled_did_not_die<P: Place>(place: &P) {
    let capture = Capture::new("orders");
    let _guard = capture.install();
    let Dying { outbox, mut recipient, running, mut died, .. } = dying(place, "settled").await;
    place.run("UPDATE settled SET state = 1").await;
    recipient.go.notify_one();
    place.stored(&outbox, Event::new("order.created", "a2")).await;
    assert_eq!(recipient.next().await.payload, "a2");
    let counters = running.stop().await;
    assert_eq!((counters.failed, counters.dead, counters.relayed), (1, 0, 1));
    assert!(died.try_recv().is_err());
    assert!(!capture.lines().iter().any(|line| line["message"] == "an event is dead"));
}

async fn a_death_that_was_not_written_is_written_before_anything_else<P: Place>(place: &P) {
    let capture = Capture::new("orders");
    let _guard = capture.install();
    let dying = dying(place, "unwritten").await;
    place.run("ALTER TABLE unwritten RENAME TO no_graveyard").await;
    dying.recipient.go.notify_one();
    until("the database refuses", || dying.running.handle.counters().database_failures > 1).await;
    assert_eq!(dying.running.handle.counters().dead, 0);
    place.run("ALTER TABLE no_graveyard RENAME TO unwritten").await;
    let outbox = dying.outbox.clone();
    dying.told_once().await;
    assert_eq!(outbox.state(place.pool()).await.unwrap().dead, 1);
    // However late it is told, it belongs to the trace.
    let lines = capture.lines();
    let line = lines.iter().find(|line| line["message"] == "an event is dead").unwrap();
    assert_eq!(line["trace_id"], capture.span("relay order.created").trace_id.to_string());
}

async fn a_death_whose_answer_was_lost_is_told<P: Place>(place: &P) {
    let dying = dying(place, "unanswered").await;
    place.run("ALTER TABLE unanswered RENAME TO no_answer").await;
    dying.recipient.go.notify_one();
    until("the database refuses", || dying.running.handle.counters().database_failures > 1).await;
    place.run("UPDATE no_answer SET state = 2, attempts = 1").await;
    place.run("ALTER TABLE no_answer RENAME TO unanswered").await;
    dying.told_once().await;
}

async fn a_death_whose_answer_was_lost_with_the_lease_is_told<P: Place>(place: &P) {
    let dying = dying(place, "bereft").await;
    place.run("ALTER TABLE bereft RENAME TO no_answer_here").await;
    dying.recipient.go.notify_one();
    until("the database refuses", || dying.running.handle.counters().database_failures > 1).await;
    place.run("UPDATE bereft_lease SET holder = 'another', expires_at = expires_at + 60000").await;
    until("the lease is missed", || dying.running.handle.counters().leases_lost == 1).await;
    place.run("UPDATE no_answer_here SET state = 2, attempts = 1").await;
    place.run("ALTER TABLE no_answer_here RENAME TO bereft").await;
    dying.told_once().await;
}
