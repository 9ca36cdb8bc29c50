//! The signals, and what OTLP calls each.

use throughline_core::env::OtlpVariables;

/// What a request carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SignalKind {
    Traces,
    Metrics,
    Logs,
}

impl SignalKind {
    /// The records as a word for diagnostics.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Traces => "spans",
            Self::Metrics => "metrics",
            Self::Logs => "log records",
        }
    }

    /// The variables of this signal alone.
    pub(crate) const fn variables(self) -> OtlpVariables {
        match self {
            Self::Traces => OtlpVariables::TRACES,
            Self::Metrics => OtlpVariables::METRICS,
            Self::Logs => OtlpVariables::LOGS,
        }
    }

    /// What OTLP/HTTP adds to the path of a common endpoint.
    pub(crate) const fn http_path(self) -> &'static str {
        match self {
            Self::Traces => "v1/traces",
            Self::Metrics => "v1/metrics",
            Self::Logs => "v1/logs",
        }
    }

    /// The method of OTLP/gRPC.
    pub(crate) const fn grpc_path(self) -> &'static str {
        match self {
            Self::Traces => "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
            Self::Metrics => "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
            Self::Logs => "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
        }
    }

    /// What a request looks like in JSON.
    #[cfg(feature = "json")]
    pub(crate) const fn request(self) -> &'static throughline_otlp_json::Message {
        match self {
            Self::Traces => &throughline_otlp_json::TRACES_DATA,
            Self::Metrics => &throughline_otlp_json::METRICS_DATA,
            Self::Logs => &throughline_otlp_json::LOGS_DATA,
        }
    }

    /// What its answer looks like in JSON.
    #[cfg(feature = "json")]
    pub(crate) const fn response(self) -> &'static throughline_otlp_json::Message {
        match self {
            Self::Traces => &throughline_otlp_json::TRACES_RESPONSE,
            Self::Metrics => &throughline_otlp_json::METRICS_RESPONSE,
            Self::Logs => &throughline_otlp_json::LOGS_RESPONSE,
        }
    }
}
