//! Which hosts are told the ids.

use http::HeaderMap;
use throughline_core::{Context, DIAGNOSTICS_TARGET, Propagator};

use crate::HeaderCarrier;

/// Decides, by the host of each attempt, whether ids and baggage go out.
///
/// Every host is told today. A list of hosts belongs here and nowhere else: all ways of sending a request, the attempts
/// after a redirect included, ask this one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Propagation {}

impl Propagation {
    /// Writes `context` into the headers of an attempt that goes to `host`.
    pub(crate) fn inject(
        &self,
        propagator: &Propagator,
        context: &Context,
        host: Option<&str>,
        headers: &mut HeaderMap,
    ) {
        let mut carrier = HeaderCarrier::new(headers);
        if self.allows(host) {
            propagator.inject(context, &mut carrier);
        }
        if carrier.dropped() > 0 {
            tracing::warn!(
                target: DIAGNOSTICS_TARGET,
                dropped = carrier.dropped(),
                "left headers out of an outgoing request that HTTP does not allow"
            );
        }
    }

    #[expect(clippy::unused_self, reason = "where the list of hosts will be read")]
    const fn allows(&self, _host: Option<&str>) -> bool {
        true
    }
}
