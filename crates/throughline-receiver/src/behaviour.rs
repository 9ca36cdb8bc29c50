//! How the receiver can be made to misbehave.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::sync::watch;

/// How the receiver treats the requests that it could read.
///
/// What is malformed, too large or of an unknown type is answered with an error under each of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Behaviour {
    /// Stores the request and answers with success.
    #[default]
    Accept,
    /// Stores nothing and answers with an error.
    Refuse(Refusal),
    /// Answers with success, but says that some items were rejected. The last items of the request are the rejected
    /// ones: they aren't stored. Zero items with a message is what OTLP calls a warning.
    PartialSuccess {
        /// How many; at most as many as the request has.
        rejected: u64,
        /// Why.
        message: String,
    },
    /// Waits that long, then accepts.
    Slow(Duration),
    /// Stores the request, and answers with success in a way that OTLP doesn't know.
    AnswerBadly(BadAnswer),
    /// Reads the request and doesn't answer, until the behaviour changes (then the new one decides) or the receiver stops.
    Hang,
    /// Reads the request and cuts the connection, with everything else that is under way on it.
    Disconnect,
}

/// What stands in place of OTLP's answer. The status says success each time, and so the request counts as accepted: a sender
/// that sends it again doubles what it exports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BadAnswer {
    /// A web page, as from a proxy that wants somebody to log in: HTTP 200 with `text/html`, over gRPC without a
    /// `grpc-status`.
    WrongContentType,
    /// A message that breaks off in the middle of a field.
    Truncated,
    /// A well-formed answer with a message of so many bytes, to see what a sender reads at most.
    Huge(usize),
}

/// An error to answer with.
#[must_use]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub(crate) http_status: u16,
    pub(crate) grpc_code: i32,
    pub(crate) retry_after: Option<Duration>,
}

impl Refusal {
    /// "Try again later": 503, or UNAVAILABLE.
    pub fn retryable() -> Self {
        Self::status(503, 14)
    }

    /// "Never send this again": 400, or INVALID_ARGUMENT.
    pub fn permanent() -> Self {
        Self::status(400, 3)
    }

    /// This HTTP status, or this gRPC code.
    ///
    /// A number that HTTP or gRPC doesn't have is answered as 500, or UNKNOWN.
    pub fn status(http_status: u16, grpc_code: i32) -> Self {
        Self { http_status, grpc_code, retry_after: None }
    }

    /// Says when to try again: a `Retry-After` header in whole seconds, rounded up, or gRPC's `RetryInfo`.
    pub fn retry_after(mut self, delay: Duration) -> Self {
        self.retry_after = Some(delay);
        self
    }
}

/// The behaviour that is set, and those for the next few requests.
#[derive(Debug)]
pub(crate) struct Behaviours {
    script: Mutex<Script>,
    /// Counts the changes; requests that hang wait for the next one.
    changes: watch::Sender<u64>,
}

#[derive(Debug)]
struct Script {
    lasting: Behaviour,
    next: VecDeque<(u64, Behaviour)>,
}

impl Behaviours {
    pub(crate) fn new(lasting: Behaviour) -> Self {
        Self { script: Mutex::new(Script { lasting, next: VecDeque::new() }), changes: watch::Sender::new(0) }
    }

    /// From now on, in place of everything that was set before.
    pub(crate) fn set(&self, behaviour: Behaviour) {
        let mut script = self.script();
        script.next.clear();
        script.lasting = behaviour;
        self.changes.send_modify(|count| *count += 1);
    }

    /// For this many requests, after those that were planned before.
    pub(crate) fn set_next(&self, requests: u64, behaviour: Behaviour) {
        if requests == 0 {
            return;
        }
        let mut script = self.script();
        script.next.push_back((requests, behaviour));
        self.changes.send_modify(|count| *count += 1);
    }

    /// One after the other, for a request each, after those that were planned before.
    pub(crate) fn set_in_turn(&self, behaviours: impl IntoIterator<Item = Behaviour>) {
        let mut script = self.script();
        script.next.extend(behaviours.into_iter().map(|behaviour| (1, behaviour)));
        self.changes.send_modify(|count| *count += 1);
    }

    /// The behaviour for one request, and what tells that it has changed since.
    pub(crate) fn take(&self) -> (Behaviour, watch::Receiver<u64>) {
        let mut script = self.script();
        let changes = self.changes.subscribe();
        let Some((requests, behaviour)) = script.next.front_mut() else {
            return (script.lasting.clone(), changes);
        };
        let behaviour = behaviour.clone();
        *requests -= 1;
        if *requests == 0 {
            script.next.pop_front();
        }
        (behaviour, changes)
    }

    fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_ones_come_first_and_in_order() {
        let behaviours = Behaviours::new(Behaviour::Accept);
        behaviours.set_next(2, Behaviour::Hang);
        behaviours.set_in_turn([Behaviour::Disconnect]);
        let taken: Vec<_> = (0..5).map(|_| behaviours.take().0).collect();
        let hang = Behaviour::Hang;
        assert_eq!(taken[..3], [hang.clone(), hang, Behaviour::Disconnect]);
        assert_eq!(taken[3..], [Behaviour::Accept, Behaviour::Accept]);
    }

    #[test]
    fn a_lasting_one_replaces_what_was_planned() {
        let behaviours = Behaviours::new(Behaviour::Accept);
        behaviours.set_next(2, Behaviour::Hang);
        let (_, changes) = behaviours.take();
        behaviours.set(Behaviour::Disconnect);
        assert!(changes.has_changed().unwrap());
        assert_eq!(behaviours.take().0, Behaviour::Disconnect);
    }
}
