//! The formats in which a trace travels, and the order in which they are believed.

#[cfg(feature = "b3")]
mod b3;
mod choice;
mod codec;
#[cfg(any(feature = "b3", feature = "jaeger", feature = "xray"))]
mod foreign;
#[cfg(feature = "jaeger")]
mod jaeger;
mod list;
#[cfg(any(feature = "b3", feature = "jaeger"))]
mod padded;
#[cfg(all(test, any(feature = "b3", feature = "jaeger", feature = "xray")))]
mod testing;
mod w3c;
#[cfg(feature = "xray")]
mod xray;

pub(crate) use choice::{Choice, choice};
pub(crate) use codec::put;
pub(crate) use list::{Formats, Said, is_field};

use codec::Codec;

/// A format that a [`Propagator`](crate::Propagator) reads and writes; the names are those of `OTEL_PROPAGATORS`.
///
/// | format | feature | fields | carries |
/// |---|---|---|---|
/// | `tracecontext` | – | `traceparent`, `tracestate` | ids, sampled and random flag, vendors' state |
/// | `baggage` | – | `baggage` | baggage with its metadata |
/// | `b3` | `b3` | `b3` | ids, sampling decision or none, debug flag |
/// | `b3multi` | `b3` | `x-b3-traceid`, `x-b3-spanid`, `x-b3-sampled`, `x-b3-flags` | the same |
/// | `jaeger` | `jaeger` | `uber-trace-id`, `uberctx-*` | ids, sampled and debug flag; baggage without metadata, keys in lower case |
/// | `xray` | `xray` | `x-amzn-trace-id` | ids, sampling decision or none |
///
/// Both forms of B3 are read whichever is configured, the single one first. Only W3C has a random flag: read from another
/// format it is not set, and an id of 64 bits is padded with zeros on its left. What a format cannot carry does not travel
/// in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// W3C Trace Context.
    TraceContext,
    /// W3C Baggage.
    Baggage,
    /// Zipkin's B3, in one header.
    #[cfg(feature = "b3")]
    B3,
    /// Zipkin's B3, in a header for each part.
    #[cfg(feature = "b3")]
    B3Multi,
    /// Jaeger's own, which the OpenTelemetry specification has deprecated: for services that still run its clients.
    ///
    /// Its baggage is read only from carriers that can list their fields ([`Carrier::names`](crate::Carrier::names)).
    #[cfg(feature = "jaeger")]
    Jaeger,
    /// AWS X-Ray.
    #[cfg(feature = "xray")]
    XRay,
}

impl Format {
    /// The formats that are built in.
    const BUILT: &[Self] = &[
        Self::TraceContext,
        Self::Baggage,
        #[cfg(feature = "b3")]
        Self::B3,
        #[cfg(feature = "b3")]
        Self::B3Multi,
        #[cfg(feature = "jaeger")]
        Self::Jaeger,
        #[cfg(feature = "xray")]
        Self::XRay,
    ];

    /// The name in `OTEL_PROPAGATORS`.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.codec().name()
    }

    const fn codec(self) -> &'static dyn Codec {
        match self {
            Self::TraceContext => &w3c::TraceContext,
            Self::Baggage => &w3c::Baggage,
            #[cfg(feature = "b3")]
            Self::B3 => &b3::Form::Single,
            #[cfg(feature = "b3")]
            Self::B3Multi => &b3::Form::Multi,
            #[cfg(feature = "jaeger")]
            Self::Jaeger => &jaeger::Jaeger,
            #[cfg(feature = "xray")]
            Self::XRay => &xray::XRay,
        }
    }
}
