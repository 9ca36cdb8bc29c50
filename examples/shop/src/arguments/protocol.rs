//! How the services export.

use clap::ValueEnum;

/// The two transports of OTLP, named as in `OTEL_EXPORTER_OTLP_PROTOCOL`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Protocol {
    Grpc,
    #[value(name = "http/protobuf", alias = "http")]
    HttpProtobuf,
}

impl Protocol {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Grpc => "grpc",
            Self::HttpProtobuf => "http/protobuf",
        }
    }
}
