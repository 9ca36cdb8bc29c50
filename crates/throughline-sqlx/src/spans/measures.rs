//! The metrics of statements and of pools.

use std::time::Duration;

use throughline_core::{
    Metric, Pipeline, Value,
    semconv::{db as attributes, error::ERROR_TYPE, http},
};

use super::{failure::Failure, names::Names, settings::Settings};

/// Where the measurements of one statement go, and with which labels.
///
/// The summary holds no values: its labels are a bounded set as long as the tables of the program are.
pub(crate) struct Measures {
    pipeline: Pipeline,
    settings: Settings,
    summary: String,
    names: Names,
}

impl Measures {
    pub(crate) const fn new(pipeline: Pipeline, settings: Settings, summary: String, names: Names) -> Self {
        Self { pipeline, settings, summary, names }
    }

    pub(crate) fn duration(&self, elapsed: Duration, failure: Option<&Failure>) {
        self.record(Metric::DbClientOperationDuration, elapsed.as_secs_f64(), failure);
    }

    pub(crate) fn returned_rows(&self, rows: u64, failure: Option<&Failure>) {
        self.record(Metric::DbClientReturnedRows, as_f64(rows), failure);
    }

    fn record(&self, metric: Metric, value: f64, failure: Option<&Failure>) {
        let place = &self.settings.get().place;
        let error_type = failure.map(Failure::error_type);
        let labels = [
            (attributes::DB_SYSTEM_NAME, Some(&*place.system)),
            (attributes::DB_NAMESPACE, place.namespace.as_deref()),
            (attributes::DB_QUERY_SUMMARY, Some(self.summary.as_str()).filter(|summary| !summary.is_empty())),
            (attributes::DB_OPERATION_NAME, self.names.operation.as_deref()),
            (attributes::DB_COLLECTION_NAME, self.names.collection.as_deref()),
            (http::SERVER_ADDRESS, place.server.as_ref().map(|server| server.address.as_str())),
            (attributes::DB_RESPONSE_STATUS_CODE, failure.and_then(|failure| failure.status_code.as_deref())),
            (ERROR_TYPE, error_type.as_deref()),
        ];
        let mut known: Vec<(&'static str, Value<'_>)> =
            labels.into_iter().filter_map(|(key, value)| Some((key, Value::Str(value?)))).collect();
        if let Some(port) = place.server.as_ref().and_then(|server| server.port) {
            known.push((http::SERVER_PORT, port.into()));
        }
        self.pipeline.record(metric, value, &known);
    }
}

/// A count of rows, exact up to four thousand millions.
fn as_f64(rows: u64) -> f64 {
    u32::try_from(rows).map_or(f64::from(u32::MAX), f64::from)
}
