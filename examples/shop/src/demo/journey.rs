//! How far an order has gone behind the customer's back: which consumers have dealt with its events.

use super::fleet::{Said, Word};
use crate::arguments::Service;

/// Who hears that an order was created; once fulfilment has done its part, [`AFTER_FULFILMENT`] hear of that.
const AFTER_ORDERS: [Service; 1] = [Service::Fulfilment];
const AFTER_FULFILMENT: [Service; 1] = [Service::Notifications];

/// How a message's handling has ended; a word that isn't here is followed by another.
const LAST_WORDS: [Word; 4] = [Word::Done, Word::Failed, Word::Duplicate, Word::Dead];

/// Whether the order has gone as far as it will go.
pub(super) fn is_over(said: &Said, order: i64) -> bool {
    let has_ended = |service: &Service| LAST_WORDS.iter().any(|word| said.about(order, *service, *word) > 0);
    let is_packed = said.about(order, Service::Fulfilment, Word::Done) > 0;
    AFTER_ORDERS.iter().all(has_ended) && (!is_packed || AFTER_FULFILMENT.iter().all(has_ended))
}

/// Each consumer with the number of messages about the order that it has dealt with.
pub(super) fn messages(said: &Said, order: i64) -> Vec<(Service, u64)> {
    let consumers = AFTER_ORDERS.into_iter().chain(AFTER_FULFILMENT);
    let counted = consumers
        .map(|service| (service, LAST_WORDS.iter().map(|word| said.about(order, service, *word)).sum()));
    counted.filter(|(_, messages)| *messages > 0).collect()
}
