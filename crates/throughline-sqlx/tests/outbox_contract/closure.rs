//! What the application's closure may do, and what it is told.

use std::fmt;

use throughline_sqlx::outbox::{Event, Relay, StoredEvent};

use super::{
    Place,
    recipient::{Refused, until},
};

pub(crate) async fn keeps<P: Place>(place: &P) {
    an_error_that_panics_when_shown_is_a_panic(place).await;
    time_goes_on_while_an_event_is_relayed(place).await;
}

struct Unspeakable;

impl fmt::Display for Unspeakable {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        panic!("the error panics, as it was told")
    }
}

async fn an_error_that_panics_when_shown_is_a_panic<P: Place>(place: &P) {
    let outbox = place.outbox("unspeakable").await;
    place.stored(&outbox, Event::new("order.created", "a1")).await;
    let publish = async |_: &StoredEvent| Err(Unspeakable);
    let relay = Relay::builder(place.pool().clone(), &outbox, publish).attempts_max(1).build().unwrap();
    let handle = relay.handle();
    let counters = relay.run(until("it is dead", || handle.counters().dead == 1)).await;
    assert_eq!(counters.failed, 1);
    assert_eq!(place.text("SELECT last_error FROM unspeakable").await.unwrap(), "panic");
}

async fn time_goes_on_while_an_event_is_relayed<P: Place>(place: &P) {
    let outbox = place.outbox("ageing").await;
    place.stored(&outbox, Event::new("order.created", "a1")).await;
    let publish = async |event: &StoredEvent| {
        let (age, queue_time) = (event.age(), event.queue_time());
        until("it ages", || event.age() > age && event.queue_time() > queue_time).await;
        Ok::<_, Refused>(())
    };
    let relay = Relay::builder(place.pool().clone(), &outbox, publish).build().unwrap();
    let handle = relay.handle();
    let counters = relay.run(until("it is relayed", || handle.counters().relayed == 1)).await;
    assert_eq!(counters.failed, 0);
}
