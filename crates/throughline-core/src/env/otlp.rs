//! The variables of OTLP export, which exist for all signals together and for each.

use super::variable::{State, Variable};

/// The names of the variables that say where one signal goes, and how.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct OtlpVariables {
    /// Where the Collector is.
    pub endpoint: &'static str,
    /// How to speak to it.
    pub protocol: &'static str,
    /// Headers of every request.
    pub headers: &'static str,
    /// How long one request may take.
    pub timeout: &'static str,
    /// How requests are compressed.
    pub compression: &'static str,
    /// Whether a gRPC endpoint without scheme is spoken to without TLS.
    pub insecure: &'static str,
    /// The file of the authorities that a server's certificate may come from.
    pub certificate: &'static str,
    /// The file of our own certificate.
    pub client_certificate: &'static str,
    /// The file of the key to it.
    pub client_key: &'static str,
}

macro_rules! otlp_variables {
    ($($(#[$doc:meta])* $signal:ident, $rows:ident, $infix:literal, $owner:literal, $path:literal;)*) => {
        impl OtlpVariables {
            $($(#[$doc])*
            pub const $signal: Self = Self {
                endpoint: concat!("OTEL_EXPORTER_OTLP_", $infix, "ENDPOINT"),
                protocol: concat!("OTEL_EXPORTER_OTLP_", $infix, "PROTOCOL"),
                headers: concat!("OTEL_EXPORTER_OTLP_", $infix, "HEADERS"),
                timeout: concat!("OTEL_EXPORTER_OTLP_", $infix, "TIMEOUT"),
                compression: concat!("OTEL_EXPORTER_OTLP_", $infix, "COMPRESSION"),
                insecure: concat!("OTEL_EXPORTER_OTLP_", $infix, "INSECURE"),
                certificate: concat!("OTEL_EXPORTER_OTLP_", $infix, "CERTIFICATE"),
                client_certificate: concat!("OTEL_EXPORTER_OTLP_", $infix, "CLIENT_CERTIFICATE"),
                client_key: concat!("OTEL_EXPORTER_OTLP_", $infix, "CLIENT_KEY"),
            };)*
        }

        $(pub(super) const $rows: [Variable; 9] = {
            let names = OtlpVariables::$signal;
            const fn row(name: &'static str, meaning: &'static str, default: &'static str, setter: &'static str) -> Variable {
                Variable { name, meaning, default, setter, state: State::Read }
            }
            [
                row(names.endpoint, concat!("where the Collector is", $path), "`http://localhost:4318`, `4317` for gRPC", concat!($owner, "::endpoint")),
                row(names.protocol, "`http/protobuf`, `grpc` or `http/json`", "`http/protobuf`", concat!($owner, "::protocol")),
                row(names.headers, "headers of every request, as `name=value,…`, percent-encoded", "none", concat!($owner, "::header")),
                row(names.timeout, "how long one request may take, in ms", "10000", concat!($owner, "::timeout")),
                row(names.compression, "`gzip`, `zstd` or `none`", "`none`", concat!($owner, "::compression")),
                row(names.insecure, "whether a gRPC endpoint without scheme is spoken to without TLS", "`false`", concat!($owner, "::endpoint")),
                row(names.certificate, "PEM file of the authorities that the Collector's certificate may come from", "those of the system", concat!($owner, "::certificate")),
                row(names.client_certificate, "PEM file of our own certificate, for mutual TLS", "none", concat!($owner, "::client_certificate")),
                row(names.client_key, "PEM file of the key to it", "none", concat!($owner, "::client_certificate")),
            ]
        };)*
    };
}

otlp_variables! {
    /// For every signal that has no variable of its own.
    ALL_SIGNALS, ALL_ROWS, "", "ExporterBuilder", "; over HTTP, `v1/traces` and its like are added to its path";
    /// For spans.
    TRACES, TRACES_ROWS, "TRACES_", "OtlpSettings", ", for spans; used as it is";
    /// For metrics.
    METRICS, METRICS_ROWS, "METRICS_", "OtlpSettings", ", for metrics; used as it is";
    /// For log records.
    LOGS, LOGS_ROWS, "LOGS_", "OtlpSettings", ", for log records; used as it is";
}
