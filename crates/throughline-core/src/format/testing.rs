//! What the tests of the formats share.

use super::Format;
use crate::{EdgePolicy, Propagator};

pub(super) type Fields = Vec<(String, String)>;

pub(super) fn fields(pairs: &[(&str, &str)]) -> Fields {
    pairs.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect()
}

/// What goes out when `read` comes in and no span is opened in between, and how much of it was refused.
pub(super) fn passed_on(format: Format, read: &[(&str, &str)]) -> (Fields, u64) {
    let propagator = Propagator::default().formats([format]);
    let mut written = Fields::new();
    propagator.inject(&propagator.extract(&fields(read), &EdgePolicy::trust()), &mut written);
    written.retain(|(name, _)| name != "x-correlation-id");
    let counters = propagator.counters();
    (written, counters.vendor_format_invalid + counters.baggage_members_dropped)
}
