//! What one request brought, decoded once.

use std::sync::Arc;

use opentelemetry_proto::tonic::{logs::v1::LogsData, metrics::v1::MetricsData, trace::v1::TracesData};
use prost::Message;

use throughline_otlp_json as json;

use crate::{LogRecord, Metric, Signal, Span, model};

/// What one request brought.
#[derive(Debug)]
pub(crate) enum Batch {
    Spans(Vec<Arc<Span>>),
    Logs(Vec<Arc<LogRecord>>),
    Metrics(Vec<Arc<Metric>>),
}

impl Batch {
    /// Decodes a request's protobuf bytes; with its line of OTLP-JSON if one is wanted.
    ///
    /// OTLP's three requests are laid out like the three messages for files, `TracesData` and so on.
    pub(crate) fn decode(
        signal: Signal,
        bytes: &[u8],
        with_line: bool,
    ) -> Result<(Self, Option<String>), String> {
        let invalid = |error: prost::DecodeError| format!("invalid protobuf: {error}");
        let invalid_id = |error: model::InvalidId| error.to_string();
        match signal {
            Signal::Traces => {
                let data = TracesData::decode(bytes).map_err(invalid)?;
                let line = with_line.then(|| line(&data, &json::TRACES_DATA)).flatten();
                Ok((Self::Spans(model::spans_from_proto(data).map_err(invalid_id)?), line))
            }
            Signal::Logs => {
                let data = LogsData::decode(bytes).map_err(invalid)?;
                let line = with_line.then(|| line(&data, &json::LOGS_DATA)).flatten();
                Ok((Self::Logs(model::logs_from_proto(data).map_err(invalid_id)?), line))
            }
            Signal::Metrics => {
                let data = MetricsData::decode(bytes).map_err(invalid)?;
                let line = with_line.then(|| line(&data, &json::METRICS_DATA)).flatten();
                Ok((Self::Metrics(model::metrics_from_proto(data).map_err(invalid_id)?), line))
            }
        }
    }

    /// How many spans, log records or metric points.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Spans(spans) => spans.len(),
            Self::Logs(logs) => logs.len(),
            Self::Metrics(metrics) => metrics.iter().map(|metric| metric.points.len()).sum(),
        }
    }

    /// Gives up the last items.
    pub(crate) fn reject_last(&mut self, rejected: usize) {
        let keep = self.len().saturating_sub(rejected);
        match self {
            Self::Spans(spans) => spans.truncate(keep),
            Self::Logs(logs) => logs.truncate(keep),
            Self::Metrics(metrics) => keep_first_points(metrics, keep),
        }
    }
}

/// Encoded anew rather than taken from the wire, so that each field is there once and repeated ones are together.
fn line(data: &impl Message, message: &'static json::Message) -> Option<String> {
    json::from_protobuf(&data.encode_to_vec(), message)
}

fn keep_first_points(metrics: &mut Vec<Arc<Metric>>, mut keep: usize) {
    metrics.retain_mut(|metric| {
        if metric.points.len() > keep {
            Arc::make_mut(metric).points.truncate(keep);
        }
        keep -= metric.points.len();
        !metric.points.is_empty()
    });
}
