//! How far an order has gone behind the customer's back: which consumers have dealt with its events.

use super::fleet::{Said, Word};
use crate::arguments::Service;

/// Who hears that an order was created; once fulfilment has done its part, [`AFTER_FULFILMENT`] hear of that.
const AFTER_ORDERS: [Service; 3] = [Service::Fulfilment, Service::RecentOrders, Service::Analytics];
const AFTER_FULFILMENT: [Service; 1] = [Service::Notifications];

/// How the handling of a message has ended; after a failure there is another attempt.
const LAST_WORDS: [Word; 3] = [Word::Done, Word::Duplicate, Word::Dead];
/// Each of these is an attempt, with a span of its own.
const ATTEMPTS: [Word; 3] = [Word::Done, Word::Failed, Word::Duplicate];

/// Whether the order has gone as far as it will go.
pub(super) fn is_over(said: &Said, order: i64) -> bool {
    let has_ended = |service: &Service| LAST_WORDS.iter().any(|word| said.about(order, *service, *word) > 0);
    let is_packed = said.about(order, Service::Fulfilment, Word::Done) > 0;
    AFTER_ORDERS.iter().all(has_ended) && (!is_packed || AFTER_FULFILMENT.iter().all(has_ended))
}

/// Each consumer with the number of its attempts at messages about the order.
pub(super) fn attempts(said: &Said, order: i64) -> Vec<(Service, u64)> {
    let consumers = AFTER_ORDERS.into_iter().chain(AFTER_FULFILMENT);
    let counted = consumers
        .map(|service| (service, ATTEMPTS.iter().map(|word| said.about(order, service, *word)).sum()));
    counted.filter(|(_, attempts)| *attempts > 0).collect()
}
