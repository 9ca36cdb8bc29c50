//! The points of a metric.

use opentelemetry_proto::tonic::metrics::v1::{
    self as proto, exemplar, exponential_histogram_data_point as exponential, number_data_point,
};

use super::{Attributes, InvalidId, SpanId, TraceId};

/// One point of a metric: a value for one set of attributes.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct DataPoint {
    /// What tells this point from the metric's others.
    pub attributes: Attributes,
    /// Since when it counts, in nanoseconds since 1970.
    pub start_unix_nanos: u64,
    /// When it was read, in nanoseconds since 1970.
    pub time_unix_nanos: u64,
    /// OTLP's data point flags; bit 0 says that nothing was recorded.
    pub flags: u32,
    /// What was measured.
    pub value: PointValue,
    /// Single measurements with the span in which each was taken.
    pub exemplars: Vec<Exemplar>,
}

/// What a point measured.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum PointValue {
    /// No value was sent.
    #[default]
    Missing,
    /// A whole number.
    Int(i64),
    /// A floating-point number.
    Double(f64),
    /// Counts between fixed bounds.
    Histogram {
        /// How many values.
        count: u64,
        /// Their total.
        sum: Option<f64>,
        /// The least of them.
        min: Option<f64>,
        /// The greatest of them.
        max: Option<f64>,
        /// The upper bounds, each inside its bucket.
        bounds: Vec<f64>,
        /// The counts, one more than there are bounds.
        buckets: Vec<u64>,
    },
    /// Counts between bounds that grow by a constant factor.
    ExponentialHistogram {
        /// How many values.
        count: u64,
        /// Their total.
        sum: Option<f64>,
        /// The least of them.
        min: Option<f64>,
        /// The greatest of them.
        max: Option<f64>,
        /// The factor is 2 to the power of 2 to the power of minus this.
        scale: i32,
        /// How many values were zero or as good as zero.
        zero_count: u64,
        /// How far from zero is as good as zero.
        zero_threshold: f64,
        /// The values above zero.
        positive: Buckets,
        /// The values below zero.
        negative: Buckets,
    },
    /// Quantiles.
    Summary {
        /// How many values.
        count: u64,
        /// Their total.
        sum: f64,
        /// The quantiles that the sender computed.
        quantiles: Vec<Quantile>,
    },
}

/// Consecutive buckets of an exponential histogram.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Buckets {
    /// The index of the first bucket.
    pub offset: i32,
    /// The counts from that one on.
    pub counts: Vec<u64>,
}

/// One quantile of a summary.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Quantile {
    /// Which: from 0 to 1.
    pub quantile: f64,
    /// Its value.
    pub value: f64,
}

/// A single measurement and the span in which it was taken.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Exemplar {
    /// The measurement's attributes that the point's don't have.
    pub attributes: Attributes,
    /// When it was taken, in nanoseconds since 1970.
    pub time_unix_nanos: u64,
    /// What was measured: a number or missing.
    pub value: PointValue,
    /// The trace in which it was taken.
    pub trace_id: Option<TraceId>,
    /// The span in which it was taken.
    pub span_id: Option<SpanId>,
}

impl DataPoint {
    pub(super) fn from_number(point: proto::NumberDataPoint) -> Result<Self, InvalidId> {
        Ok(Self {
            attributes: Attributes::from_proto(point.attributes),
            start_unix_nanos: point.start_time_unix_nano,
            time_unix_nanos: point.time_unix_nano,
            flags: point.flags,
            value: match point.value {
                None => PointValue::Missing,
                Some(number_data_point::Value::AsInt(number)) => PointValue::Int(number),
                Some(number_data_point::Value::AsDouble(number)) => PointValue::Double(number),
            },
            exemplars: exemplars(point.exemplars)?,
        })
    }

    pub(super) fn from_histogram(point: proto::HistogramDataPoint) -> Result<Self, InvalidId> {
        Ok(Self {
            attributes: Attributes::from_proto(point.attributes),
            start_unix_nanos: point.start_time_unix_nano,
            time_unix_nanos: point.time_unix_nano,
            flags: point.flags,
            value: PointValue::Histogram {
                count: point.count,
                sum: point.sum,
                min: point.min,
                max: point.max,
                bounds: point.explicit_bounds,
                buckets: point.bucket_counts,
            },
            exemplars: exemplars(point.exemplars)?,
        })
    }

    pub(super) fn from_exponential(point: proto::ExponentialHistogramDataPoint) -> Result<Self, InvalidId> {
        Ok(Self {
            attributes: Attributes::from_proto(point.attributes),
            start_unix_nanos: point.start_time_unix_nano,
            time_unix_nanos: point.time_unix_nano,
            flags: point.flags,
            value: PointValue::ExponentialHistogram {
                count: point.count,
                sum: point.sum,
                min: point.min,
                max: point.max,
                scale: point.scale,
                zero_count: point.zero_count,
                zero_threshold: point.zero_threshold,
                positive: Buckets::from_proto(point.positive),
                negative: Buckets::from_proto(point.negative),
            },
            exemplars: exemplars(point.exemplars)?,
        })
    }

    pub(super) fn from_summary(point: proto::SummaryDataPoint) -> Self {
        let quantiles = point.quantile_values.iter();
        Self {
            attributes: Attributes::from_proto(point.attributes),
            start_unix_nanos: point.start_time_unix_nano,
            time_unix_nanos: point.time_unix_nano,
            flags: point.flags,
            value: PointValue::Summary {
                count: point.count,
                sum: point.sum,
                quantiles: quantiles.map(|at| Quantile { quantile: at.quantile, value: at.value }).collect(),
            },
            exemplars: Vec::new(),
        }
    }
}

impl Buckets {
    fn from_proto(buckets: Option<exponential::Buckets>) -> Self {
        let buckets = buckets.unwrap_or_default();
        Self { offset: buckets.offset, counts: buckets.bucket_counts }
    }
}

fn exemplars(exemplars: Vec<proto::Exemplar>) -> Result<Vec<Exemplar>, InvalidId> {
    exemplars.into_iter().map(Exemplar::from_proto).collect()
}

impl Exemplar {
    fn from_proto(exemplar: proto::Exemplar) -> Result<Self, InvalidId> {
        Ok(Self {
            attributes: Attributes::from_proto(exemplar.filtered_attributes),
            time_unix_nanos: exemplar.time_unix_nano,
            value: match exemplar.value {
                None => PointValue::Missing,
                Some(exemplar::Value::AsInt(number)) => PointValue::Int(number),
                Some(exemplar::Value::AsDouble(number)) => PointValue::Double(number),
            },
            trace_id: TraceId::optional(&exemplar.trace_id, "trace id of an exemplar")?,
            span_id: SpanId::optional(&exemplar.span_id, "span id of an exemplar")?,
        })
    }
}
