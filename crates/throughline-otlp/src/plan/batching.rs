//! How the records of one signal wait, go together and are given up.

use std::time::Duration;

use throughline_core::env::EnvWarning;

use super::Variables;
use crate::{
    InitError,
    settings::{BATCH_LEN_MAX, OUTAGE_BUDGET, SCHEDULE_DELAY},
};

/// What is in force for one signal.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Batching {
    pub(crate) delay: Duration,
    pub(crate) batch_len: usize,
    pub(crate) queue_len_max: usize,
    pub(crate) queue_bytes_max: usize,
    pub(crate) outage_budget: Duration,
}

/// What was set in code, and the names of setters and variables.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BatchingInCode {
    pub(crate) delay: (Option<Duration>, &'static str),
    pub(crate) batch_len: (Option<usize>, &'static str, &'static str),
    pub(crate) queue_len_max: (Option<usize>, &'static str),
    pub(crate) queue_bytes_max: usize,
    pub(crate) outage_budget: (Option<Duration>, &'static str),
}

impl Variables<'_> {
    pub(crate) fn batching(&mut self, code: &BatchingInCode) -> Result<Batching, InitError> {
        let batch_len = match code.batch_len {
            (Some(0), setter, _) => {
                return Err(InitError::new(setter, "0", "a batch holds at least one record"));
            }
            (Some(len), ..) => len,
            (None, _, name) => self.positive(name, BATCH_LEN_MAX),
        };
        Ok(Batching {
            delay: self.time(code.delay, SCHEDULE_DELAY),
            batch_len,
            queue_len_max: match code.queue_len_max {
                (Some(len), _) => len,
                (None, name) => self.queue_len_max(name),
            },
            queue_bytes_max: code.queue_bytes_max,
            outage_budget: self.time(code.outage_budget, OUTAGE_BUDGET),
        })
    }

    fn time(&mut self, (code, name): (Option<Duration>, &str), default: Duration) -> Duration {
        match code {
            Some(time) => time,
            None => self.millis(name, default),
        }
    }

    /// Any number where the variable is unset.
    fn queue_len_max(&mut self, name: &str) -> usize {
        let Some(value) = self.environment.get(name) else { return usize::MAX };
        value.parse().ok().filter(|len| *len > 0).unwrap_or_else(|| {
            let (problem, used) = ("not a positive number", "the limit in bytes alone");
            EnvWarning::new(name, value, problem, used).note(self.warnings);
            usize::MAX
        })
    }
}
