//! What can go wrong before anything runs.

use std::{error::Error, fmt};

use throughline_core::redact;

/// A setting that cannot be used, with its value, which is shown without credentials if it is a URL.
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
        let value = redact::url_full(&value.into()).into_owned();
        Self { setting: setting.into(), value, problem: problem.into() }
    }
}

impl fmt::Display for InitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} = {:?}: {}", self.setting, self.value, self.problem)
    }
}

impl Error for InitError {}
