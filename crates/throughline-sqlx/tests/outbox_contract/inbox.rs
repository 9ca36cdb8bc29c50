//! Once, however often a message comes.

use std::time::Duration;

use throughline_core::Metric;
use throughline_sqlx::{inbox::Inbox, outbox::OutboxError};
use throughline_testing::Capture;
use tracing::Instrument;

use super::{Place, place::DEADLINE};

pub(crate) async fn keeps<P: Place>(place: &P) {
    let inbox = Inbox::<P::DB>::named("met").unwrap();
    inbox.create_tables(place.pool()).await.unwrap();
    inbox.create_tables(place.pool()).await.unwrap();
    each_consumer_meets_a_message_once(place, &inbox).await;
    what_is_rolled_back_was_never_met(place, &inbox).await;
    two_at_once_take_turns(place, &inbox).await;
    the_answer_is_on_the_span_and_counted(place, &inbox).await;
    what_is_old_is_forgotten(place, &inbox).await;
}

async fn meet<P: Place>(place: &P, inbox: &Inbox<P::DB>, consumer: &str, id: &str) -> bool {
    let mut transaction = place.begin().await;
    let first = inbox.first_time(&mut transaction, consumer, id).await.unwrap();
    transaction.commit().await.unwrap();
    first
}

async fn each_consumer_meets_a_message_once<P: Place>(place: &P, inbox: &Inbox<P::DB>) {
    // Ids are compared byte by byte: a database that takes two for one would lose a message.
    for (consumer, id) in
        [("a", "m1"), ("b", "m1"), ("a", "M1"), ("a", "m1 "), ("A", "m1"), ("a", "mé"), ("a", "me")]
    {
        assert!(meet(place, inbox, consumer, id).await, "{consumer} {id:?}");
        assert!(!meet(place, inbox, consumer, id).await, "{consumer} {id:?}");
    }
    let mut transaction = place.begin().await;
    for (consumer, id) in [("", "m"), ("a", ""), ("a", "x\0")] {
        let refused = inbox.first_time(&mut transaction, consumer, id).await;
        assert!(matches!(refused, Err(OutboxError::Key(_))));
    }
    let too_long = "x".repeat(256);
    assert!(inbox.first_time(&mut transaction, "a", &too_long).await.is_err());
}

async fn what_is_rolled_back_was_never_met<P: Place>(place: &P, inbox: &Inbox<P::DB>) {
    let mut transaction = place.begin().await;
    assert!(inbox.first_time(&mut transaction, "a", "m2").await.unwrap());
    assert!(!inbox.first_time(&mut transaction, "a", "m2").await.unwrap());
    transaction.rollback().await.unwrap();
    assert!(meet(place, inbox, "a", "m2").await);
}

async fn two_at_once_take_turns<P: Place>(place: &P, inbox: &Inbox<P::DB>) {
    for (id, commits) in [("m3", true), ("m4", false)] {
        let mut one = place.begin().await;
        assert!(inbox.first_time(&mut one, "a", id).await.unwrap());
        let other = async {
            let mut two = place.begin().await;
            let first = inbox.first_time(&mut two, "a", id).await.unwrap();
            two.commit().await.unwrap();
            first
        };
        let end = async { if commits { one.commit().await.unwrap() } else { one.rollback().await.unwrap() } };
        let (first, ()) = tokio::join!(other, end);
        assert_eq!(first, !commits, "{id}");
    }
}

async fn the_answer_is_on_the_span_and_counted<P: Place>(place: &P, inbox: &Inbox<P::DB>) {
    let capture = Capture::new("fulfilment");
    let _guard = capture.install();
    for (name, expected) in [("one", "first"), ("two", "duplicate")] {
        meet(place, inbox, "fulfilment", "m5")
            .instrument(tracing::info_span!("process", otel.name = name))
            .await;
        super::recipient::until(name, || capture.spans().iter().any(|span| span.name == name)).await;
        assert_eq!(*capture.span(name).attribute("throughline.inbox.result").unwrap(), *expected);
    }
    let counted = capture.measurements(Metric::InboxMessages);
    let results: Vec<_> =
        counted.iter().map(|one| one.attribute("throughline.inbox.result").unwrap()).collect();
    assert_eq!(results, ["first", "duplicate"]);
    assert_eq!(counted[0].attribute("messaging.consumer.group.name"), Some("fulfilment"));
}

async fn what_is_old_is_forgotten<P: Place>(place: &P, inbox: &Inbox<P::DB>) {
    assert!(meet(place, inbox, "a", "old").await);
    place.run("UPDATE met SET met_at = met_at - 7200000 WHERE message_id = 'old'").await;
    assert_eq!(inbox.forget_before(place.pool(), Duration::from_secs(3600)).await.unwrap(), 1);
    assert!(meet(place, inbox, "a", "old").await);
    assert!(!meet(place, inbox, "a", "m1").await);

    let remembered = "SELECT COUNT(*) FROM met";
    assert!(place.number(remembered).await > 0);
    place.run("UPDATE met SET met_at = met_at - 7200000").await;
    let forgets = async { while place.number(remembered).await > 0 {} };
    let forgetting = inbox.clone().forget_regularly(place.pool().clone(), Duration::from_secs(3600), forgets);
    tokio::time::timeout(DEADLINE, forgetting).await.expect("forgotten in time");
}
