//! Together with the write, or not at all.

use throughline_sqlx::outbox::{Event, KEY_BYTES_MAX, Outbox, OutboxError};

use super::Place;

pub(crate) async fn keeps<P: Place>(place: &P) {
    an_event_is_there_if_and_only_if_the_write_is(place).await;
    what_does_not_fit_is_refused_before_the_database_sees_it(place).await;
    tables_can_be_made_twice_and_at_once(place).await;
}

async fn an_event_is_there_if_and_only_if_the_write_is<P: Place>(place: &P) {
    let outbox = place.outbox("atomic").await;
    place.run("CREATE TABLE orders (id INTEGER PRIMARY KEY)").await;
    for commits in [false, true] {
        let mut transaction = place.begin().await;
        P::execute(&mut transaction, "INSERT INTO orders (id) VALUES (7)".to_owned()).await;
        outbox.store(&mut transaction, Event::new("order.created", "7")).await.unwrap();
        if commits {
            transaction.commit().await.unwrap();
        } else {
            transaction.rollback().await.unwrap();
        }
        let expected = i64::from(commits);
        assert_eq!(place.number("SELECT COUNT(*) FROM orders").await, expected);
        assert_eq!(place.number("SELECT COUNT(*) FROM atomic").await, expected);
        let state = outbox.state(place.pool()).await.unwrap();
        assert_eq!(state.waiting, u64::from(commits));
        assert_eq!(state.oldest_waiting.is_some(), commits);
    }
}

async fn what_does_not_fit_is_refused_before_the_database_sees_it<P: Place>(place: &P) {
    let outbox = place.outbox("limits").await.payload_bytes_max(4);
    let long = "x".repeat(KEY_BYTES_MAX + 1);
    let mut transaction = place.begin().await;
    for (event, expected) in [
        (Event::new("", ""), "the topic is empty, longer than 255 bytes, or has a NUL in it"),
        (Event::new("a\0b", ""), "the topic is empty, longer than 255 bytes, or has a NUL in it"),
        (Event::new("a", "").key(long), "the key is empty, longer than 255 bytes, or has a NUL in it"),
        (Event::new("a", "12345"), "the payload has 5 bytes, and may have 4"),
    ] {
        let error = outbox.store(&mut transaction, event).await.unwrap_err();
        assert_eq!(error.to_string(), expected);
    }
    // The transaction has not noticed; no bytes are bytes, too.
    let longest = "x".repeat(KEY_BYTES_MAX);
    outbox.store(&mut transaction, Event::new(longest.clone(), "").key(longest)).await.unwrap();
    transaction.commit().await.unwrap();
    assert_eq!(place.number("SELECT COUNT(*) FROM limits").await, 1);
}

async fn tables_can_be_made_twice_and_at_once<P: Place>(place: &P) {
    let outbox = Outbox::<P::DB>::named("made_at_once").unwrap();
    let (pool, other) = (place.pool(), outbox.clone());
    let (one, two) = tokio::join!(outbox.create_tables(pool), other.create_tables(pool));
    one.unwrap();
    two.unwrap();
    assert_eq!(place.number("SELECT COUNT(*) FROM made_at_once_lease").await, 1);
    assert!(matches!(Outbox::<P::DB>::named("a; DROP TABLE b"), Err(OutboxError::TableName(_))));
}
