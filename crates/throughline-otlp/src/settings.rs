//! What can be set, in code and in the environment; code beats environment beats default.

use std::{fmt, str::FromStr, time::Duration};

use throughline_core::redact;

/// How long one request may take (`OTEL_EXPORTER_OTLP_TIMEOUT`).
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a batch is kept while the Collector cannot be reached.
pub const OUTAGE_BUDGET: Duration = Duration::from_secs(60);
/// How long finished spans wait for company (`OTEL_BSP_SCHEDULE_DELAY`).
///
/// The specification says 5 s. What has not been sent is lost with a crash, so throughline waits for one.
pub const SCHEDULE_DELAY: Duration = Duration::from_secs(1);
/// Spans a request (`OTEL_BSP_MAX_EXPORT_BATCH_SIZE`).
pub const BATCH_LEN_MAX: usize = 512;
/// The largest request, before compression (OTLP's default limit).
pub const REQUEST_BYTES_MAX: usize = 64 * 1024 * 1024;
/// The largest answer that is read (OTLP's default limit).
pub const RESPONSE_BYTES_MAX: usize = 4 * 1024 * 1024;
/// How hard gzip tries: the first level costs a fifth of the usual one for a sixth more bytes.
pub const GZIP_LEVEL: u32 = 1;

pub(crate) const USER_AGENT: &str = concat!(
    "throughline/",
    env!("CARGO_PKG_VERSION"),
    " OTel-OTLP-Exporter-Rust/",
    env!("CARGO_PKG_VERSION")
);

/// A way to speak OTLP (`OTEL_EXPORTER_OTLP_PROTOCOL`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Protocol {
    /// gRPC; the feature `grpc`.
    Grpc,
    /// Protobuf over HTTP; the feature `http`.
    HttpProtobuf,
}

impl Protocol {
    /// The default where both are built in is what the specification says; otherwise the one that is.
    pub(crate) const fn preferred() -> Option<Self> {
        if cfg!(feature = "http") {
            Some(Self::HttpProtobuf)
        } else if cfg!(feature = "grpc") {
            Some(Self::Grpc)
        } else {
            None
        }
    }

    pub(crate) const fn is_built_in(self) -> bool {
        match self {
            Self::Grpc => cfg!(feature = "grpc"),
            Self::HttpProtobuf => cfg!(feature = "http"),
        }
    }

    pub(crate) const fn feature(self) -> &'static str {
        match self {
            Self::Grpc => "grpc",
            Self::HttpProtobuf => "http",
        }
    }

    pub(crate) const fn default_endpoint(self) -> &'static str {
        match self {
            Self::Grpc => "http://localhost:4317",
            Self::HttpProtobuf => "http://localhost:4318",
        }
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Grpc => "grpc",
            Self::HttpProtobuf => "http/protobuf",
        })
    }
}

impl FromStr for Protocol {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.to_ascii_lowercase().as_str() {
            "grpc" => Ok(Self::Grpc),
            "http/protobuf" => Ok(Self::HttpProtobuf),
            _ => Err("neither grpc nor http/protobuf".to_owned()),
        }
    }
}

/// How requests are compressed (`OTEL_EXPORTER_OTLP_COMPRESSION`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Compression {
    /// Not at all.
    #[default]
    None,
    /// By gzip, at its fastest level.
    Gzip,
}

impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "none",
            Self::Gzip => "gzip",
        })
    }
}

impl FromStr for Compression {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.to_ascii_lowercase().as_str() {
            "none" => Ok(Self::None),
            "gzip" => Ok(Self::Gzip),
            _ => Err("neither gzip nor none".to_owned()),
        }
    }
}

/// Where one signal goes, and how.
#[derive(Clone)]
pub(crate) struct Endpoint {
    pub(crate) url: String,
    pub(crate) protocol: Protocol,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) timeout: Duration,
    pub(crate) compression: Compression,
}

impl fmt::Debug for Endpoint {
    /// Header values are credentials more often than not.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.headers.iter().map(|(name, _)| name).collect();
        f.debug_struct("Endpoint")
            .field("url", &redact::url_full(&self.url))
            .field("protocol", &self.protocol)
            .field("headers", &names)
            .field("timeout", &self.timeout)
            .field("compression", &self.compression)
            .finish()
    }
}
