//! The table is kept small, whatever else there is to do.

use std::time::Duration;

use throughline_sqlx::outbox::{Backoff, Event, Outbox};

use super::{
    Place,
    recipient::{Answer, Recipient, Settings, until},
};

pub(crate) async fn keeps<P: Place>(place: &P) {
    a_relay_that_always_finds_something_cleans(place).await;
    what_cannot_be_deleted_stops_nothing(place).await;
}

async fn relayed<P: Place>(place: &P, outbox: &Outbox<P::DB>, recipient: &mut Recipient) {
    place.stored(outbox, Event::new("order.created", "old")).await;
    let running = recipient.relay(place.pool(), outbox, Settings::default());
    assert_eq!(recipient.next().await.payload, "old");
    running.stop().await;
}

async fn a_relay_that_always_finds_something_cleans<P: Place>(place: &P) {
    const DOUBLINGS: u32 = 11;
    let outbox = place.outbox("cleaned").await;
    let mut recipient = Recipient::new();
    relayed(place, &outbox, &mut recipient).await;
    for doubling in 0..DOUBLINGS {
        let columns =
            "topic, payload, state, attempts, replays, stored_at, waiting_since, next_attempt_at, settled_at";
        place
            .run(&format!(
                "INSERT INTO cleaned (message_id, {columns}) SELECT CONCAT(message_id, '-{doubling}'), {columns} FROM cleaned"
            ))
            .await;
    }
    recipient.answers("stuck", [Answer::Refused]);
    place.stored(&outbox, Event::new("order.created", "stuck")).await;
    let hour = Duration::from_secs(3600);
    let settings =
        Settings { retention: Duration::ZERO, backoff: Backoff::new(hour, hour), ..Settings::default() };
    let running = recipient.relay(place.pool(), &outbox, settings);
    until("all are deleted", || running.handle.counters().deleted == 1 << DOUBLINGS).await;
    running.stop().await;
    assert_eq!(outbox.state(place.pool()).await.unwrap().waiting, 1);
}

async fn what_cannot_be_deleted_stops_nothing<P: Place>(place: &P) {
    let outbox = place.outbox("held_back").await;
    let mut recipient = Recipient::new();
    relayed(place, &outbox, &mut recipient).await;
    place
        .run("CREATE TABLE holds_back (event BIGINT, FOREIGN KEY (event) REFERENCES held_back (position))")
        .await;
    place.run("INSERT INTO holds_back SELECT position FROM held_back").await;
    let settings = Settings { retention: Duration::ZERO, ..Settings::default() };
    let running = recipient.relay(place.pool(), &outbox, settings);
    until("cleaning fails", || running.handle.counters().cleaning_failures == 1).await;
    place.stored(&outbox, Event::new("order.created", "new")).await;
    assert_eq!(recipient.next().await.payload, "new");
    let counters = running.stop().await;
    assert_eq!((counters.database_failures, counters.cleaning_failures, counters.deleted), (0, 1, 0));
}
