//! What can go wrong before anything runs.

use std::{error::Error, fmt};

/// Telemetry that could not be set up, with the setting at fault and its value.
///
/// Nothing of this kind can happen later: the request path has no errors of ours.
#[derive(Debug)]
pub struct InitError {
    what: String,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl InitError {
    pub(crate) fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), source: None }
    }

    pub(crate) fn caused(what: impl Into<String>, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { what: what.into(), source: Some(source.into()) }
    }
}

impl fmt::Display for InitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl Error for InitError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
