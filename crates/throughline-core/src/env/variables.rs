//! The table of all variables that throughline knows: what `docs/settings.md` is made of.

use super::{
    otlp,
    variable::{State, Variable},
};

/// Makes a constant of each name, and a row of each; what documents the constant is what the table says.
macro_rules! variables {
    ($($(#[doc = $meaning:literal])+ $name:ident, $default:literal, $setter:literal, $state:expr;)*) => {
        $($(#[doc = $meaning])+ pub const $name: &str = stringify!($name);)*

        const SINGLE: &[Variable] = &[$(Variable {
            name: $name,
            meaning: concat!($($meaning),+),
            default: $default,
            setter: $setter,
            state: $state,
        },)*];
    };
}

const NO_PROMETHEUS: State = State::Refused {
    used: "the push over OTLP",
    because: "for an exporter that is scraped, which is not built in; let the Collector offer the metrics",
    harmless: &[],
};

const fn refused(used: &'static str, because: &'static str) -> State {
    State::Refused { used, because, harmless: &[] }
}

variables! {
    /// `true`: no spans and no metrics; log lines and propagation go on
    OTEL_SDK_DISABLED, "`false`", "ExporterBuilder::disabled", State::Read;
    /// the name of the service
    OTEL_SERVICE_NAME, "the name given to `init`", "Builder::service_name", State::AnyText;
    /// attributes of everything that is exported, as `key=value,…`, percent-encoded
    OTEL_RESOURCE_ATTRIBUTES, "none", "ExporterBuilder::resource", State::Read;
    /// the attribute `k8s.cluster.name`, where the detector `K8s` is on
    K8S_CLUSTER_NAME, "none", "ExporterBuilder::resource_detectors", State::AnyText;
    /// `k8s.namespace.name`, likewise
    K8S_NAMESPACE_NAME, "none", "ExporterBuilder::resource_detectors", State::AnyText;
    /// `k8s.node.name`, likewise
    K8S_NODE_NAME, "none", "ExporterBuilder::resource_detectors", State::AnyText;
    /// `k8s.pod.name`, likewise
    K8S_POD_NAME, "none", "ExporterBuilder::resource_detectors", State::AnyText;
    /// `k8s.pod.uid`, likewise
    K8S_POD_UID, "none", "ExporterBuilder::resource_detectors", State::AnyText;
    /// `k8s.container.name`, likewise
    K8S_CONTAINER_NAME, "none", "ExporterBuilder::resource_detectors", State::AnyText;
    /// `k8s.deployment.name`, likewise
    K8S_DEPLOYMENT_NAME, "none", "ExporterBuilder::resource_detectors", State::AnyText;
    /// the level of throughline's own diagnostics: `off`, `error`, `warn`, `info`, `debug` or `trace`
    OTEL_LOG_LEVEL, "as `RUST_LOG` has it", "Builder::diagnostics_level", State::Read;

    /// what is recorded: `always_on`, `always_off`, `traceidratio`, and each of them after `parentbased_`
    OTEL_TRACES_SAMPLER, "`parentbased_always_on`", "ExporterBuilder::sampler", State::Read;
    /// the share of traces that `traceidratio` records, from 0 to 1
    OTEL_TRACES_SAMPLER_ARG, "1", "ExporterBuilder::sampler", State::Read;

    /// where spans go: `otlp`, `console` (or `otlp/stdout`), several with commas between them, or `none`
    OTEL_TRACES_EXPORTER, "`otlp`", "ExporterBuilder::traces_to", State::Read;
    /// where metrics go, likewise
    OTEL_METRICS_EXPORTER, "`otlp`", "ExporterBuilder::metrics_to", State::Read;
    /// where log records go, likewise; `none` leaves events on their spans
    OTEL_LOGS_EXPORTER, "`none`", "ExporterBuilder::logs_to", State::Read;

    /// how long finished spans wait for company, in ms
    OTEL_BSP_SCHEDULE_DELAY, "1000", "ExporterBuilder::schedule_delay", State::Read;
    /// how long a batch is tried before it is given up, in ms
    OTEL_BSP_EXPORT_TIMEOUT, "60000", "ExporterBuilder::outage_budget", State::Read;
    /// how many finished spans may wait, beside the limit in bytes
    OTEL_BSP_MAX_QUEUE_SIZE, "64 MiB of them", "ExporterBuilder::queue_len_max", State::Read;
    /// how many spans go into one request
    OTEL_BSP_MAX_EXPORT_BATCH_SIZE, "512", "ExporterBuilder::batch_len", State::Read;
    /// how long finished log records wait for company, in ms
    OTEL_BLRP_SCHEDULE_DELAY, "1000", "ExporterBuilder::log_schedule_delay", State::Read;
    /// how long a batch of log records is tried before it is given up, in ms
    OTEL_BLRP_EXPORT_TIMEOUT, "60000", "ExporterBuilder::log_outage_budget", State::Read;
    /// how many log records may wait, beside the limit in bytes
    OTEL_BLRP_MAX_QUEUE_SIZE, "16 MiB of them", "ExporterBuilder::log_queue_len_max", State::Read;
    /// how many log records go into one request
    OTEL_BLRP_MAX_EXPORT_BATCH_SIZE, "512", "ExporterBuilder::log_batch_len", State::Read;

    /// characters of a text, where the variable for spans or log records is unset
    OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT, "any number", "SpanLimits::value_chars", State::Read;
    /// attributes of a span, an event, a link or a log record, where their own variable is unset
    OTEL_ATTRIBUTE_COUNT_LIMIT, "128", "SpanLimits::attributes", State::Read;
    /// characters of a text on a span
    OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT, "any number", "SpanLimits::value_chars", State::Read;
    /// attributes of a span
    OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT, "128", "SpanLimits::attributes", State::Read;
    /// events of a span
    OTEL_SPAN_EVENT_COUNT_LIMIT, "128", "SpanLimits::events", State::Read;
    /// links of a span
    OTEL_SPAN_LINK_COUNT_LIMIT, "128", "SpanLimits::links", State::Read;
    /// attributes of an event
    OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT, "128", "SpanLimits::event_attributes", State::Read;
    /// attributes of a link
    OTEL_LINK_ATTRIBUTE_COUNT_LIMIT, "128", "SpanLimits::link_attributes", State::Read;
    /// characters of a text on a log record
    OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT, "any number", "LogLimits::value_chars", State::Read;
    /// attributes of a log record
    OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT, "128", "LogLimits::attributes", State::Read;

    /// how often metrics are exported, in ms
    OTEL_METRIC_EXPORT_INTERVAL, "60000", "ExporterBuilder::metric_interval", State::Read;
    /// how long one export of metrics may take, with everything that is tried again, in ms
    OTEL_METRIC_EXPORT_TIMEOUT, "30000", "ExporterBuilder::metric_timeout", State::Read;
    /// whether sums start over with each export: `cumulative`, `delta` or `lowmemory`
    OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE, "`cumulative`", "ExporterBuilder::metric_temporality", State::Read;
    /// `explicit_bucket_histogram` or `base2_exponential_bucket_histogram`
    OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION, "`explicit_bucket_histogram`", "ExporterBuilder::metric_histograms", State::Read;
    /// which measurements leave an example with their trace
    OTEL_METRICS_EXEMPLAR_FILTER, "`always_off`", "", State::Refused {
        used: "always_off",
        because: "for exemplars, which the OpenTelemetry SDK for Rust does not record yet",
        harmless: &["always_off"],
    };
    /// where metrics would be scraped
    OTEL_EXPORTER_PROMETHEUS_HOST, "", "", NO_PROMETHEUS;
    /// on which port they would be scraped
    OTEL_EXPORTER_PROMETHEUS_PORT, "", "", NO_PROMETHEUS;

    /// the formats in which the context travels, the first one that is valid wins: `tracecontext`, `baggage`, and by feature `b3`, `b3multi`, `jaeger`, `xray`; or `none`
    OTEL_PROPAGATORS, "`tracecontext,baggage`", "Propagator::formats", State::Read;
    /// the HTTP methods that are told apart, with commas between them, in place of those of the conventions
    OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS, "those of the conventions", "Builder::known_methods", State::Read;
    /// a file with all settings
    OTEL_CONFIG_FILE, "", "", refused("the other variables", "a file of settings, which is not read");
    /// the same under its older name
    OTEL_EXPERIMENTAL_CONFIG_FILE, "", "", refused("the other variables", "a file of settings, which is not read");
    /// entities of the resource
    OTEL_ENTITIES, "", "", refused("OTEL_RESOURCE_ATTRIBUTES", "under development in the specification");
    /// old names of the conventions
    OTEL_SEMCONV_STABILITY_OPT_IN, "the stable names", "", refused("the stable names", "for names that were never emitted here");
    /// exceptions as log records
    OTEL_SEMCONV_EXCEPTION_SIGNAL_OPT_IN, "span events", "", refused("span events", "for a transition that is not made here");

    /// which events become log lines, as `LEVEL,TARGET=LEVEL,…`
    RUST_LOG, "`info`", "Builder::log_filter", State::Read;
    /// which spans exist, and which events are kept on them, in the syntax of `RUST_LOG`
    THROUGHLINE_SPANS, "`info`", "Builder::span_filter", State::Read;
    /// the shape of a log line: `plain`, `otel`, `ecs`, `gcp`, `datadog`, `otlp-json` or `console`
    THROUGHLINE_LOG_FORMAT, "`plain`", "Builder::log_format", State::Read;
    /// whether work that has left its trace is reported, for development
    THROUGHLINE_ORPHANS, "`false`", "Builder::orphans", State::Read;
    /// whether tests write what they got into their snapshots, in place of comparing it
    THROUGHLINE_UPDATE_SNAPSHOTS, "`false`", "", State::InTests;
}

/// Every variable that throughline knows, those that it refuses included.
pub fn variables() -> impl Iterator<Item = &'static Variable> {
    const OTLP: [&[Variable]; 4] =
        [&otlp::ALL_ROWS, &otlp::TRACES_ROWS, &otlp::METRICS_ROWS, &otlp::LOGS_ROWS];
    OTLP.into_iter().chain([SINGLE]).flatten()
}
