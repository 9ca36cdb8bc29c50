//! What the services have said so far, to be read and waited for.

use std::{collections::BTreeMap, error::Error, time::Duration};

use tokio::{sync::watch, time::timeout};

use super::{Member, Report, Word, line::Line};
use crate::arguments::Service;

/// About how many orders it is known what happened to each; of those before, the totals only.
const ORDERS_MAX: usize = 1_000;

/// What the services have said so far. Clones are the same ledger.
#[derive(Clone, Debug, Default)]
pub(in crate::demo) struct Ledger(watch::Sender<Said>);

/// The facts in a ledger.
#[derive(Debug, Default)]
pub(in crate::demo) struct Said {
    orders: BTreeMap<i64, BTreeMap<(Service, Word), u64>>,
    totals: BTreeMap<(Service, Word), u64>,
    reports: BTreeMap<Member, Report>,
}

impl Ledger {
    pub(super) fn note(&self, member: Member, line: Line) {
        self.0.send_modify(|said| match line {
            Line::Ready(_) => {}
            Line::Handled(word, order) => said.handled(member.service(), word, order),
            Line::Report(report) => {
                said.reports.insert(member, report);
            }
        });
    }

    /// Waits until the condition holds; `what` is said if it does not within that time.
    pub(in crate::demo) async fn wait_for(
        &self,
        what: &str,
        limit: Duration,
        condition: impl FnMut(&Said) -> bool,
    ) -> Result<(), Box<dyn Error>> {
        let mut said = self.0.subscribe();
        match timeout(limit, said.wait_for(condition)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(format!("{what}: not within {limit:?}").into()),
        }
    }

    /// Looks at the facts.
    pub(in crate::demo) fn read<T>(&self, read: impl FnOnce(&Said) -> T) -> T {
        read(&self.0.borrow())
    }
}

impl Said {
    fn handled(&mut self, service: Service, word: Word, order: i64) {
        *self.totals.entry((service, word)).or_default() += 1;
        *self.orders.entry(order).or_default().entry((service, word)).or_default() += 1;
        if self.orders.len() > ORDERS_MAX {
            self.orders.pop_first();
        }
    }

    /// How often a service said this word about an order.
    pub(in crate::demo) fn about(&self, order: i64, service: Service, word: Word) -> u64 {
        self.orders.get(&order).and_then(|said| said.get(&(service, word))).copied().unwrap_or_default()
    }

    /// How often a service said this word about any order.
    pub(in crate::demo) fn total(&self, service: Service, word: Word) -> u64 {
        self.totals.get(&(service, word)).copied().unwrap_or_default()
    }

    /// The last words of the services that have ended well.
    pub(in crate::demo) fn reports(&self) -> impl Iterator<Item = (Member, Report)> {
        self.reports.iter().map(|(member, report)| (*member, *report))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOTIFICATIONS: Member = Member::new(Service::Notifications, 1);

    #[test]
    fn the_oldest_orders_are_forgotten_and_still_counted() {
        let ledger = Ledger::default();
        for order in 1..=2_000 {
            ledger.note(NOTIFICATIONS, Line::Handled(Word::Done, order));
        }
        ledger.read(|said| {
            assert_eq!(said.total(Service::Notifications, Word::Done), 2_000);
            assert_eq!(said.about(1_000, Service::Notifications, Word::Done), 0);
            assert_eq!(said.about(1_001, Service::Notifications, Word::Done), 1);
        });
    }

    #[tokio::test]
    async fn what_does_not_happen_is_named() {
        let error = Ledger::default().wait_for("the end", Duration::from_millis(1), |_| false).await;
        assert_eq!(error.unwrap_err().to_string(), "the end: not within 1ms");
    }
}
