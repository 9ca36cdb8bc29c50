//! How metrics are exported.

use std::{fmt, str::FromStr, time::Duration};

use opentelemetry_sdk::metrics::Temporality;

use super::Way;

/// How often metrics are exported (`OTEL_METRIC_EXPORT_INTERVAL`).
pub const METRIC_INTERVAL: Duration = Duration::from_secs(60);
/// How long one export of metrics may take (`OTEL_METRIC_EXPORT_TIMEOUT`).
pub const METRIC_TIMEOUT: Duration = Duration::from_secs(30);

/// Whether sums start over with each export (`OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum MetricTemporality {
    /// They grow from the start of the process: an export that fails is made up for by the next one.
    #[default]
    Cumulative,
    /// Counters and histograms start over. A failed export is tried again until its time is up, and then lost.
    Delta,
    /// As delta, but for what would need memory to be so: counters that are observed.
    LowMemory,
}

impl From<MetricTemporality> for Temporality {
    fn from(temporality: MetricTemporality) -> Self {
        match temporality {
            MetricTemporality::Cumulative => Self::Cumulative,
            MetricTemporality::Delta => Self::Delta,
            MetricTemporality::LowMemory => Self::LowMemory,
        }
    }
}

impl fmt::Display for MetricTemporality {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cumulative => "cumulative",
            Self::Delta => "delta",
            Self::LowMemory => "lowmemory",
        })
    }
}

impl FromStr for MetricTemporality {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        named([Self::Cumulative, Self::Delta, Self::LowMemory], text)
    }
}

/// How histograms are kept (`OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum MetricHistograms {
    /// With the bounds that the conventions give.
    #[default]
    ExplicitBuckets,
    /// With bounds that grow exponentially, as fine as 160 of them allow.
    Exponential,
}

impl fmt::Display for MetricHistograms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ExplicitBuckets => "explicit_bucket_histogram",
            Self::Exponential => "base2_exponential_bucket_histogram",
        })
    }
}

impl FromStr for MetricHistograms {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        named([Self::ExplicitBuckets, Self::Exponential], text)
    }
}

/// The one that is called so, in any case.
fn named<T: fmt::Display, const N: usize>(all: [T; N], text: &str) -> Result<T, String> {
    let names: Vec<_> = all.iter().map(ToString::to_string).collect();
    let found = all.into_iter().find(|one| one.to_string().eq_ignore_ascii_case(text));
    found.ok_or_else(|| format!("none of {}", names.join(", ")))
}

/// Everything that is in force for metrics.
pub(crate) struct MetricsPlan {
    pub(crate) ways: Vec<Way>,
    pub(crate) interval: Duration,
    pub(crate) timeout: Duration,
    pub(crate) temporality: MetricTemporality,
    pub(crate) histograms: MetricHistograms,
}
