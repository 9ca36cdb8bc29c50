//! What can be set, in code and in the environment; code beats environment beats default.

use std::{fmt, str::FromStr, time::Duration};

use throughline_core::redact;

use crate::{features, tls};

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

/// How hard zstd tries: its fastest usual level beats gzip in time and size.
#[cfg(feature = "zstd")]
pub(crate) const ZSTD_LEVEL: i32 = 1;
/// How often a busy connection over HTTP/2 is checked, and how long an answer may take.
#[cfg(feature = "grpc")]
pub(crate) const KEEPALIVE: Duration = Duration::from_secs(30);

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
    /// JSON over HTTP; the features `http` and `json`.
    HttpJson,
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
            Self::HttpJson => cfg!(all(feature = "http", feature = "json")),
        }
    }

    /// What it needs, as it follows `feature`.
    pub(crate) const fn feature(self) -> &'static str {
        match self {
            Self::Grpc => "`grpc`",
            Self::HttpProtobuf => "`http`",
            Self::HttpJson => "`http` with `json`",
        }
    }

    pub(crate) const fn default_endpoint(self) -> &'static str {
        match self {
            Self::Grpc => "http://localhost:4317",
            Self::HttpProtobuf | Self::HttpJson => "http://localhost:4318",
        }
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Grpc => "grpc",
            Self::HttpProtobuf => "http/protobuf",
            Self::HttpJson => "http/json",
        })
    }
}

impl FromStr for Protocol {
    type Err = String;

    /// Knows those that are built in.
    fn from_str(text: &str) -> Result<Self, String> {
        let all = [Self::Grpc, Self::HttpProtobuf, Self::HttpJson];
        match all.into_iter().find(|protocol| protocol.to_string().eq_ignore_ascii_case(text)) {
            Some(protocol) if protocol.is_built_in() => Ok(protocol),
            Some(protocol) => Err(features::missing(protocol.feature())),
            None => Err("none of grpc, http/protobuf and http/json".to_owned()),
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
    /// By zstd, which the Collector must know: the specification asks for gzip alone. The feature `zstd`.
    Zstd,
}

impl Compression {
    /// What a header calls it.
    pub(crate) const fn encoding(self) -> Option<&'static str> {
        match self {
            Self::None => None,
            Self::Gzip => Some("gzip"),
            Self::Zstd => Some("zstd"),
        }
    }

    pub(crate) const fn is_built_in(self) -> bool {
        !matches!(self, Self::Zstd) || cfg!(feature = "zstd")
    }

    /// What it needs, as it follows `feature`.
    pub(crate) const FEATURE: &str = "`zstd`";
}

impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.encoding().unwrap_or("none"))
    }
}

impl FromStr for Compression {
    type Err = String;

    /// Knows those that are built in.
    fn from_str(text: &str) -> Result<Self, String> {
        let all = [Self::None, Self::Gzip, Self::Zstd];
        match all.into_iter().find(|compression| compression.to_string().eq_ignore_ascii_case(text)) {
            Some(compression) if compression.is_built_in() => Ok(compression),
            Some(_) => Err(features::missing(Self::FEATURE)),
            None => Err("none of gzip, zstd and none".to_owned()),
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
    pub(crate) tls: tls::Material,
}

impl Endpoint {
    pub(crate) fn is_https(&self) -> bool {
        self.url.get(..8).is_some_and(|start| start.eq_ignore_ascii_case("https://"))
    }
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
