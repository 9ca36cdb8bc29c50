//! What can go wrong before anything runs.

use std::{error::Error, fmt};

/// A setting that cannot be used, with its value.
#[derive(Debug)]
pub struct InitError {
    setting: String,
    value: String,
    problem: String,
}

impl InitError {
    pub(crate) fn new(
        setting: impl Into<String>,
        value: impl Into<String>,
        problem: impl Into<String>,
    ) -> Self {
        Self { setting: setting.into(), value: value.into(), problem: problem.into() }
    }
}

impl fmt::Display for InitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} = {:?}: {}", self.setting, self.value, self.problem)
    }
}

impl Error for InitError {}
