//! Requests that a peer refused before it looked at them.

#[cfg(feature = "http2")]
use std::error::Error as _;

use ::reqwest::Error;

/// How often one request is sent again because it was refused unseen; as often as `reqwest` does.
pub(super) const NACKS_MAX: u32 = 2;

/// Whether the peer says that it did nothing with the request: it is going away gracefully (`GOAWAY` without an error),
/// or takes no more streams on this connection (`REFUSED_STREAM`; RFC 9113, 8.7).
#[cfg(feature = "http2")]
pub(super) fn is_nack(error: &Error) -> bool {
    let causes = std::iter::successors(error.source(), |cause| (*cause).source());
    let found = causes.filter_map(|cause| cause.downcast_ref::<h2::Error>()).next();
    found.is_some_and(|error| {
        let reason = error.reason();
        error.is_remote()
            && (error.is_go_away() && reason == Some(h2::Reason::NO_ERROR)
                || error.is_reset() && reason == Some(h2::Reason::REFUSED_STREAM))
    })
}

/// HTTP/1 has no such answer.
#[cfg(not(feature = "http2"))]
pub(super) const fn is_nack(_: &Error) -> bool {
    false
}
