//! The contract of a span layer: one suite, run under each of them.

#![expect(clippy::unwrap_used, reason = "helpers of tests are tests, too")]
#![allow(dead_code, unused_imports, unused_macros, reason = "each test program uses its own part")]

/// What the layer over the OpenTelemetry SDK is let off.
mod exemption;

/// A value that traces while it is being formatted.
pub(crate) mod reentry;

use std::sync::{Arc, Mutex};

pub(crate) use exemption::Exemption;
use opentelemetry_proto::tonic::{collector::trace::v1::ExportTraceServiceRequest, trace::v1::Span};
use prost::Message;
use throughline_core::{BaggageFields, Clock, ContextLayer, Filters, Pipeline};
use throughline_otlp::{Envelope, SpanLayer, SpanLimits, SpanSink};
use tracing::Dispatch;
use tracing_subscriber::{prelude::*, registry};

/// Which span layer a test runs under.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Under {
    Native,
    #[cfg(feature = "opentelemetry")]
    OpenTelemetry,
}

/// Runs each of these functions under each span layer.
macro_rules! contract {
    ($($name:ident),+ $(,)?) => {
        mod native {
            $(#[test]
            fn $name() {
                super::$name(crate::contract::Under::Native);
            })+
        }

        #[cfg(feature = "opentelemetry")]
        mod opentelemetry {
            $(#[test]
            fn $name() {
                super::$name(crate::contract::Under::OpenTelemetry);
            })+
        }
    };
}
pub(crate) use contract;

/// What a span layer is made with.
pub(crate) struct Settings {
    pub(crate) pipeline: Pipeline,
    pub(crate) limits: SpanLimits,
    pub(crate) filters: Option<Filters>,
    pub(crate) clock: Clock,
    pub(crate) baggage: BaggageFields,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            pipeline: Pipeline::builder().build(),
            limits: SpanLimits::default(),
            filters: None,
            clock: Clock::system(),
            baggage: BaggageFields::default(),
        }
    }
}

impl Under {
    /// Whether the layer is let off what the native one promises.
    pub(crate) fn is_exempt(self, exemption: Exemption) -> bool {
        self != Self::Native && Exemption::ALL.contains(&exemption)
    }

    /// A subscriber with the ids of the core and this layer.
    pub(crate) fn dispatch(self, kept: &Arc<Kept>, settings: Settings) -> Dispatch {
        let sink = Arc::clone(kept) as Arc<dyn SpanSink>;
        let Settings { pipeline, limits, filters, clock, baggage } = settings;
        match self {
            Self::Native => {
                let mut layer = SpanLayer::new(sink).limits(limits).clock(clock).baggage(baggage);
                if let Some(filters) = filters {
                    layer = layer.filters(filters);
                }
                Dispatch::new(registry().with(ContextLayer::new(pipeline)).with(layer))
            }
            #[cfg(feature = "opentelemetry")]
            Self::OpenTelemetry => {
                use throughline_otlp::sdk::{OpenTelemetry, SpanProcessor};
                let processor = SpanProcessor::new(sink).limits(limits);
                let mut builder =
                    OpenTelemetry::builder(processor).pipeline(pipeline).clock(clock).baggage(baggage);
                if let Some(filters) = filters {
                    builder = builder.filters(filters);
                }
                Dispatch::new(registry().with(builder.build().layers()))
            }
        }
    }
}

/// Encoded spans, as the queue would get them.
#[derive(Default)]
pub(crate) struct Kept(Mutex<Vec<u8>>);

impl SpanSink for Kept {
    fn accept(&self, span: &[u8]) {
        self.0.lock().expect("no test panics inside").extend_from_slice(span);
    }
}

impl Kept {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.lock().unwrap().is_empty()
    }

    /// The spans, decoded by another implementation of protobuf.
    pub(crate) fn spans(&self) -> Vec<Span> {
        let request = Envelope::new([("service.name", "test".into())]).around(&self.0.lock().unwrap());
        let mut request = ExportTraceServiceRequest::decode(request.as_slice()).unwrap();
        let mut resource = request.resource_spans.pop().unwrap();
        let scope = resource.scope_spans.pop().unwrap();
        assert_eq!((resource.schema_url, &scope.schema_url), (scope.schema_url.clone(), &scope.schema_url));
        scope.spans
    }
}
