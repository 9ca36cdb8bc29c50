//! The bounded store behind the receiver.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::{
    Counts, LogRecord, Metric, Outcome, RequestInfo, Span, batch::Batch, limits::Limits, wakeup::Wakeup,
};

/// What arrived, up to the limits.
#[derive(Debug)]
pub(crate) struct Store {
    shelves: Mutex<Shelves>,
    pub(crate) wakeup: Wakeup,
}

#[derive(Debug)]
pub(crate) struct Shelves {
    pub(crate) spans: Shelf<Arc<Span>>,
    pub(crate) logs: Shelf<Arc<LogRecord>>,
    pub(crate) metrics: Shelf<Arc<Metric>>,
    pub(crate) requests: Shelf<RequestInfo>,
}

/// The place of a request in the store, for as long as it is there.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RequestKey(u64);

impl Store {
    pub(crate) fn new(limits: &Limits) -> Self {
        let shelves = Shelves {
            spans: Shelf::new(limits.spans, |_| 1),
            logs: Shelf::new(limits.logs, |_| 1),
            metrics: Shelf::new(limits.metric_points, |metric| metric.points.len().max(1)),
            requests: Shelf::new(limits.requests, |_| 1),
        };
        Self { shelves: Mutex::new(shelves), wakeup: Wakeup::default() }
    }

    /// Notes that a request is here.
    pub(crate) fn request(&self, info: RequestInfo) -> RequestKey {
        let key = {
            let requests = &mut self.shelves().requests;
            let key = RequestKey(requests.removed + requests.items.len() as u64);
            requests.push(info);
            key
        };
        self.wakeup.wake();
        key
    }

    /// Notes what became of a request, and keeps what it brought.
    pub(crate) fn settle(&self, key: RequestKey, outcome: Outcome, batch: Option<Batch>) {
        {
            let mut shelves = self.shelves();
            match batch {
                None => {}
                Some(Batch::Spans(spans)) => shelves.spans.extend(spans),
                Some(Batch::Logs(logs)) => shelves.logs.extend(logs),
                Some(Batch::Metrics(metrics)) => shelves.metrics.extend(metrics),
            }
            if let Some(info) = shelves.requests.get_mut(key.0) {
                info.outcome = outcome;
            }
        }
        self.wakeup.wake();
    }

    pub(crate) fn clear(&self) {
        {
            let mut shelves = self.shelves();
            shelves.spans.clear();
            shelves.logs.clear();
            shelves.metrics.clear();
            shelves.requests.clear();
        }
        self.wakeup.wake();
    }

    pub(crate) fn shelves(&self) -> MutexGuard<'_, Shelves> {
        self.shelves.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shelves {
    pub(crate) fn counts(&self) -> Counts {
        Counts {
            spans: self.spans.weight as u64,
            logs: self.logs.weight as u64,
            metric_points: self.metrics.weight as u64,
            requests: self.requests.weight as u64,
        }
    }

    pub(crate) fn dropped(&self) -> Counts {
        Counts {
            spans: self.spans.dropped,
            logs: self.logs.dropped,
            metric_points: self.metrics.dropped,
            requests: self.requests.dropped,
        }
    }
}

/// A queue that pushes its oldest out when it is full.
#[derive(Debug)]
pub(crate) struct Shelf<T> {
    pub(crate) items: VecDeque<T>,
    weigh: fn(&T) -> usize,
    weight: usize,
    weight_max: usize,
    /// The weight that was pushed out since the last clear.
    dropped: u64,
    /// How many items ever left at the front.
    removed: u64,
}

impl<T> Shelf<T> {
    fn new(weight_max: usize, weigh: fn(&T) -> usize) -> Self {
        Self { items: VecDeque::new(), weigh, weight: 0, weight_max, dropped: 0, removed: 0 }
    }

    fn extend(&mut self, items: Vec<T>) {
        for item in items {
            self.push(item);
        }
    }

    fn push(&mut self, item: T) {
        self.weight += (self.weigh)(&item);
        self.items.push_back(item);
        while self.weight > self.weight_max {
            let Some(oldest) = self.items.pop_front() else {
                return;
            };
            let weight = (self.weigh)(&oldest);
            self.weight -= weight;
            self.dropped += weight as u64;
            self.removed += 1;
        }
    }

    fn get_mut(&mut self, key: u64) -> Option<&mut T> {
        let index = key.checked_sub(self.removed)?;
        self.items.get_mut(usize::try_from(index).ok()?)
    }

    /// Hands over what is kept. What was pushed out stays counted.
    pub(crate) fn take(&mut self) -> Vec<T> {
        self.removed += self.items.len() as u64;
        self.weight = 0;
        std::mem::take(&mut self.items).into()
    }

    fn clear(&mut self) {
        self.removed += self.items.len() as u64;
        self.items.clear();
        self.weight = 0;
        self.dropped = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_go_first_and_are_counted() {
        let mut shelf = Shelf::new(5, |weight: &usize| *weight);
        shelf.extend(vec![2, 3, 1]);
        assert_eq!((shelf.items.iter().copied().collect::<Vec<_>>(), shelf.dropped), (vec![3, 1], 2));
        shelf.push(6);
        assert_eq!((shelf.items.len(), shelf.weight, shelf.dropped), (0, 0, 12));
    }

    #[test]
    fn what_is_taken_makes_room_and_is_not_pushed_out() {
        let mut shelf = Shelf::new(2, |_: &char| 1);
        shelf.extend(vec!['a', 'b', 'c']);
        assert_eq!(shelf.take(), ['b', 'c']);
        shelf.extend(vec!['d', 'e']);
        assert_eq!((shelf.take(), shelf.dropped), (vec!['d', 'e'], 1));
        assert_eq!(shelf.get_mut(4), None);
    }

    #[test]
    fn a_key_finds_its_item_until_it_is_gone() {
        let mut shelf = Shelf::new(2, |_: &char| 1);
        shelf.extend(vec!['a', 'b', 'c']);
        assert_eq!(shelf.get_mut(0), None);
        assert_eq!(shelf.get_mut(1), Some(&mut 'b'));
        shelf.clear();
        assert_eq!(shelf.get_mut(2), None);
        shelf.push('d');
        assert_eq!(shelf.get_mut(3), Some(&mut 'd'));
        assert_eq!(shelf.get_mut(4), None);
    }
}
