//! Events that came in through the `log` crate.
//!
//! The bridge gives all of them the target `log` and puts the true one into a field.

use std::fmt;

use tracing::{
    Event, Metadata,
    field::{Field, FieldSet, Visit},
    metadata::Kind,
};

const BRIDGE_TARGET: &str = "log";
const TRUE_TARGET: &str = "log.target";

/// Whether an event has the fields that the bridge adds: `log.target`, `log.module_path`, `log.file`, `log.line`.
#[inline]
pub(crate) fn is_from_log(metadata: &Metadata<'_>) -> bool {
    metadata.target() == BRIDGE_TARGET
}

/// The true target of an event that came in through the bridge.
#[inline]
pub(crate) fn target(event: &Event<'_>) -> Option<String> {
    if !is_from_log(event.metadata()) {
        return None;
    }
    let mut target = Target(None);
    event.record(&mut target);
    target.0
}

/// Runs `ask` with the metadata that the event would have without the bridge.
#[inline]
pub(crate) fn with_target<T>(
    metadata: &Metadata<'_>,
    target: &str,
    ask: impl FnOnce(&Metadata<'_>) -> T,
) -> T {
    if !is_from_log(metadata) {
        return ask(metadata);
    }
    let fields = FieldSet::new(&[], metadata.callsite());
    ask(&Metadata::new(metadata.name(), target, *metadata.level(), None, None, None, fields, Kind::EVENT))
}

struct Target(Option<String>);

impl Visit for Target {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == TRUE_TARGET {
            self.0 = Some(value.to_owned());
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn fmt::Debug) {}
}
