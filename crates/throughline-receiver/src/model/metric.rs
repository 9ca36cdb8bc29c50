//! Metrics.

use std::sync::Arc;

use opentelemetry_proto::tonic::metrics::v1::{self as proto, metric::Data};

use super::{AttributeValue, DataPoint, InvalidId, Resource, Scope};

/// A metric as it was sent: one name with the raw points of one export.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Metric {
    /// The instrument's name.
    pub name: String,
    /// The unit, as UCUM writes it.
    pub unit: String,
    /// What it measures.
    pub description: String,
    /// What its points are.
    pub kind: MetricKind,
    /// Since when the points count.
    pub temporality: Temporality,
    /// Whether a sum only ever grows; false for every other kind.
    pub monotonic: bool,
    /// One point for each set of attributes.
    pub points: Vec<DataPoint>,
    /// The process that was measured.
    pub resource: Arc<Resource>,
    /// The library that measured.
    pub scope: Arc<Scope>,
}

impl Metric {
    /// The name of the service that sent it; empty if it has none.
    #[must_use]
    pub fn service(&self) -> &str {
        self.resource.service()
    }

    /// The first point whose attributes include all of these.
    #[must_use]
    pub fn point(&self, attributes: &[(&str, AttributeValue)]) -> Option<&DataPoint> {
        self.points
            .iter()
            .find(|point| attributes.iter().all(|(key, value)| point.attributes.get(key) == Some(value)))
    }

    fn from_proto(
        metric: proto::Metric,
        resource: &Arc<Resource>,
        scope: &Arc<Scope>,
    ) -> Result<Self, InvalidId> {
        let mut decoded = Self {
            name: metric.name,
            unit: metric.unit,
            description: metric.description,
            resource: Arc::clone(resource),
            scope: Arc::clone(scope),
            ..Self::default()
        };
        match metric.data {
            None => {}
            Some(Data::Gauge(gauge)) => {
                decoded.kind = MetricKind::Gauge;
                decoded.points = points(gauge.data_points, DataPoint::from_number)?;
            }
            Some(Data::Sum(sum)) => {
                decoded.kind = MetricKind::Sum;
                decoded.monotonic = sum.is_monotonic;
                decoded.temporality = Temporality::from_proto(sum.aggregation_temporality);
                decoded.points = points(sum.data_points, DataPoint::from_number)?;
            }
            Some(Data::Histogram(histogram)) => {
                decoded.kind = MetricKind::Histogram;
                decoded.temporality = Temporality::from_proto(histogram.aggregation_temporality);
                decoded.points = points(histogram.data_points, DataPoint::from_histogram)?;
            }
            Some(Data::ExponentialHistogram(histogram)) => {
                decoded.kind = MetricKind::ExponentialHistogram;
                decoded.temporality = Temporality::from_proto(histogram.aggregation_temporality);
                decoded.points = points(histogram.data_points, DataPoint::from_exponential)?;
            }
            Some(Data::Summary(summary)) => {
                decoded.kind = MetricKind::Summary;
                decoded.points = points(summary.data_points, |point| Ok(DataPoint::from_summary(point)))?;
            }
        }
        Ok(decoded)
    }
}

/// What a metric's points are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MetricKind {
    /// None was sent.
    #[default]
    Unspecified,
    /// A value at a moment.
    Gauge,
    /// A total.
    Sum,
    /// Counts of values between fixed bounds.
    Histogram,
    /// Counts of values between bounds that grow by a constant factor.
    ExponentialHistogram,
    /// Quantiles.
    Summary,
}

/// Since when a point counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Temporality {
    /// None was sent, or the kind has none.
    #[default]
    Unspecified,
    /// Since the export before.
    Delta,
    /// Since the process began.
    Cumulative,
}

impl Temporality {
    fn from_proto(temporality: i32) -> Self {
        match temporality {
            1 => Self::Delta,
            2 => Self::Cumulative,
            _ => Self::Unspecified,
        }
    }
}

fn points<P>(
    points: Vec<P>,
    decode: impl Fn(P) -> Result<DataPoint, InvalidId>,
) -> Result<Vec<DataPoint>, InvalidId> {
    points.into_iter().map(decode).collect()
}

/// Every metric of a request, with its resource and scope.
pub(crate) fn metrics_from_proto(data: proto::MetricsData) -> Result<Vec<Arc<Metric>>, InvalidId> {
    let mut metrics = Vec::new();
    for group in data.resource_metrics {
        let resource = Resource::from_proto(group.resource, group.schema_url);
        for group in group.scope_metrics {
            let scope = Scope::from_proto(group.scope, group.schema_url);
            for metric in group.metrics {
                metrics.push(Arc::new(Metric::from_proto(metric, &resource, &scope)?));
            }
        }
    }
    Ok(metrics)
}
