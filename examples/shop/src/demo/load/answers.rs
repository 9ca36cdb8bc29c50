//! What the customers were told.

use std::{collections::BTreeMap, error::Error, time::Duration};

use throughline_receiver::TraceId;
use tokio::time::Instant;

use crate::demo::customer::{NoAnswer, Outcome};

/// How many kinds of failures are told apart; those beyond are counted together.
const KINDS_MAX: usize = 20;

/// The answers so far. Holds a few bytes for each order, whose number is limited.
#[derive(Debug)]
pub(super) struct Answers {
    since: Instant,
    took: Duration,
    accepted: u64,
    refused: u64,
    failed: u64,
    degraded: u64,
    /// What customers were told other than 201, and how often.
    others: BTreeMap<String, u64>,
    /// From departure to answer, in microseconds.
    waits: Vec<u32>,
    traces: Vec<TraceId>,
}

impl Default for Answers {
    fn default() -> Self {
        Self {
            since: Instant::now(),
            took: Duration::ZERO,
            accepted: 0,
            refused: 0,
            failed: 0,
            degraded: 0,
            others: BTreeMap::new(),
            waits: Vec::new(),
            traces: Vec::new(),
        }
    }
}

impl Answers {
    /// Counts one answer, or what came in its stead.
    pub(super) fn note(&mut self, (wait, answer): (Duration, Result<Outcome, NoAnswer>)) {
        self.waits.push(u32::try_from(wait.as_micros()).unwrap_or(u32::MAX));
        match answer {
            Err(error) => {
                self.failed += 1;
                self.other(root_of(&error));
            }
            Ok(outcome) => self.answered(&outcome),
        }
    }

    fn answered(&mut self, outcome: &Outcome) {
        let status = outcome.status();
        self.degraded += u64::from(outcome.degraded().is_some());
        if status.is_success() {
            self.accepted += 1;
            self.traces.extend(outcome.trace_id().and_then(TraceId::from_hex));
            return;
        }
        let (count, kind) = if outcome.is_shed() {
            (&mut self.refused, format!("{status}, at once"))
        } else if status.is_client_error() {
            (&mut self.refused, status.to_string())
        } else {
            (&mut self.failed, status.to_string())
        };
        *count += 1;
        self.other(kind);
    }

    fn other(&mut self, kind: String) {
        let is_known = self.others.contains_key(&kind);
        let kind = if is_known || self.others.len() < KINDS_MAX { kind } else { "others".to_owned() };
        *self.others.entry(kind).or_default() += 1;
    }

    /// All answers are there.
    pub(super) fn took(&mut self, until: Instant) {
        self.took = until.duration_since(self.since);
        self.waits.sort_unstable();
    }

    pub(super) fn total(&self) -> u64 {
        self.accepted + self.refused + self.failed
    }

    pub(super) const fn accepted(&self) -> u64 {
        self.accepted
    }

    pub(super) const fn refused(&self) -> u64 {
        self.refused
    }

    pub(super) const fn failed(&self) -> u64 {
        self.failed
    }

    pub(super) const fn degraded(&self) -> u64 {
        self.degraded
    }

    pub(super) const fn duration(&self) -> Duration {
        self.took
    }

    pub(super) fn since(&self) -> Duration {
        self.since.elapsed()
    }

    pub(super) fn others(&self) -> impl Iterator<Item = (&str, u64)> {
        self.others.iter().map(|(kind, times)| (kind.as_str(), *times))
    }

    /// The traces of the accepted orders.
    pub(super) fn traces(&self) -> &[TraceId] {
        &self.traces
    }

    /// The wait that so many of a thousand answers did not exceed.
    pub(super) fn wait(&self, per_mille: usize) -> Duration {
        let place = (self.waits.len() * per_mille).div_ceil(1_000).saturating_sub(1);
        Duration::from_micros(self.waits.get(place).copied().unwrap_or_default().into())
    }
}

/// The innermost cause: what is above it repeats addresses, each a kind of its own.
fn root_of(error: &(dyn Error + 'static)) -> String {
    let mut root = error;
    while let Some(source) = root.source() {
        root = source;
    }
    root.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_told_by_rank() {
        let mut answers = Answers::default();
        for ms in (1..=100).rev() {
            answers.note((
                Duration::from_millis(ms),
                Err(NoAnswer::OfAnother { correlation_id: "7".to_owned() }),
            ));
        }
        answers.took(Instant::now());
        let waits = [500, 900, 990, 1_000].map(|per_mille| answers.wait(per_mille).as_millis());
        assert_eq!(waits, [50, 90, 99, 100]);
        assert_eq!((answers.total(), answers.failed()), (100, 100));
        let kind = "the answer came back without its correlation id 7";
        assert_eq!(answers.others().collect::<Vec<_>>(), [(kind, 100)]);
        assert_eq!(Answers::default().wait(500), Duration::ZERO);
    }

    #[test]
    fn kinds_of_failures_are_limited() {
        let mut answers = Answers::default();
        for number in 0..1_000 {
            let error = NoAnswer::OfAnother { correlation_id: number.to_string() };
            answers.note((Duration::ZERO, Err(error)));
        }
        assert_eq!(answers.others().count(), KINDS_MAX + 1);
    }
}
