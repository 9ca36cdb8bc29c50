//! A statement whose operation and table are named by the caller.

use std::borrow::Cow;

use super::{names::Names, run::Source, settings::Settings, system::System};

/// Executes one statement that has a name; see [`Pool::operation`](crate::Pool::operation).
#[derive(Debug)]
#[must_use = "a statement is executed on it"]
pub struct Operation<'c, DB: System> {
    pub(super) source: Source<'c, DB>,
    pub(super) settings: Settings,
    pub(super) names: Names,
}

impl<'c, DB: System> Operation<'c, DB> {
    /// A statement without a name of its own.
    pub(super) fn unnamed(source: Source<'c, DB>, settings: &Settings) -> Self {
        Self { source, settings: settings.clone(), names: Names::default() }
    }

    pub(super) fn named(
        mut self,
        operation: impl Into<Cow<'static, str>>,
        collection: impl Into<Cow<'static, str>>,
    ) -> Self {
        self.names = Names { operation: Some(operation.into()), collection: Some(collection.into()) };
        self
    }
}
