//! Setting up the exporter.

use std::{fmt, path::Path, time::Duration};

use throughline_core::{
    Sampler, SpanContext, TraceId,
    env::{self, EnvWarning, Environment},
    redact::Redactor,
    semconv::resource::SERVICE_NAME,
};

use crate::{
    EventTarget, InitError,
    destination::Destination,
    detector::Detector,
    exporter::Exporter,
    limits::{LogLimits, SpanLimits},
    otlp_settings::OtlpSettings,
    plan::{
        BatchingInCode, InCode, METRIC_INTERVAL, METRIC_TIMEOUT, MetricHistograms, MetricTemporality,
        MetricsPlan, Plan, Variables, Way,
    },
    queue::QUEUE_BYTES_MAX,
    resource::Resource,
    settings::{Compression, Protocol, REQUEST_BYTES_MAX},
    signal_kind::SignalKind,
    start,
};

/// What the queue of log records holds at most, in bytes.
pub const LOG_QUEUE_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Puts an [`Exporter`] together; ends with [`build`](Self::build).
///
/// Each setter beats its variable, which beats the default: the table of all three is
/// [`throughline_core::env::variables`]. Only in code: [`queue_bytes_max`](Self::queue_bytes_max) (64 MiB),
/// [`log_queue_bytes_max`](Self::log_queue_bytes_max) (16 MiB), [`request_bytes_max`](Self::request_bytes_max) (64 MiB),
/// [`redaction`](Self::redaction) (the default rules) and
/// [`events`](Self::events) (on spans; with log records on, log records).
#[must_use = "nothing is exported until `build` is called"]
pub struct ExporterBuilder {
    service: String,
    environment: Environment,
    otlp: OtlpSettings,
    traces_otlp: OtlpSettings,
    metrics_otlp: OtlpSettings,
    logs_otlp: OtlpSettings,
    resource: Vec<(String, String)>,
    detectors: Vec<Detector>,
    sampler: Option<Box<dyn Sampler>>,
    traces: Option<Signal>,
    traces_to: Option<Vec<Destination>>,
    metrics: Option<Signal>,
    metrics_to: Option<Vec<Destination>>,
    logs: Option<Signal>,
    logs_to: Option<Vec<Destination>>,
    events: Option<EventTarget>,
    disabled: Option<bool>,
    schedule_delay: Option<Duration>,
    batch_len: Option<usize>,
    queue_len_max: Option<usize>,
    queue_bytes_max: usize,
    request_bytes_max: usize,
    outage_budget: Option<Duration>,
    log_schedule_delay: Option<Duration>,
    log_batch_len: Option<usize>,
    log_queue_len_max: Option<usize>,
    log_queue_bytes_max: usize,
    log_outage_budget: Option<Duration>,
    metric_interval: Option<Duration>,
    metric_timeout: Option<Duration>,
    metric_temporality: Option<MetricTemporality>,
    metric_histograms: Option<MetricHistograms>,
    own_metrics: Option<Signal>,
    limits: Option<SpanLimits>,
    log_limits: Option<LogLimits>,
    redactor: Redactor,
}

/// Whether a signal is exported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// It is.
    On,
    /// It is not.
    Off,
}

impl Signal {
    const fn of(ways: &[Way]) -> Self {
        if ways.is_empty() { Self::Off } else { Self::On }
    }
}

/// What [`ExporterBuilder::build`] returns.
#[derive(Debug)]
#[non_exhaustive]
pub struct Built {
    /// The guard.
    pub exporter: Exporter,
    /// The name of the service that is in force.
    pub service: String,
    /// Every attribute of the resource that is in force.
    pub resource: Vec<(String, String)>,
    /// Whether spans are recorded at all.
    pub traces: Signal,
    /// Whether log records are exported.
    pub logs: Signal,
    /// Where events go.
    pub events: EventTarget,
    /// How much one log record may hold.
    pub log_limits: LogLimits,
    /// Which spans are recorded.
    pub sampler: BoxedSampler,
    /// How much one span may hold.
    pub limits: SpanLimits,
    /// What keeps secrets out of what is exported.
    pub redactor: Redactor,
    /// Variables that could not be used.
    pub warnings: Vec<EnvWarning>,
}

/// The sampler that was chosen in code or by the environment.
pub struct BoxedSampler(Box<dyn Sampler>);

impl Sampler for BoxedSampler {
    fn sample(&self, parent: Option<&SpanContext>, trace_id: TraceId, name: &str) -> bool {
        self.0.sample(parent, trace_id, name)
    }
}

impl fmt::Debug for BoxedSampler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BoxedSampler")
    }
}

macro_rules! setters {
    ($($(#[$doc:meta])* $name:ident: $type:ty),+ $(,)?) => {
        $($(#[$doc])*
        pub fn $name(mut self, $name: $type) -> Self {
            self.$name = Some($name);
            self
        })+
    };
}

/// Starts the set-up of an exporter for `service`, with the environment of this process.
pub fn builder(service: &str) -> ExporterBuilder {
    ExporterBuilder::new(service, Environment::process())
}

impl ExporterBuilder {
    fn new(service: &str, environment: Environment) -> Self {
        Self {
            service: service.to_owned(),
            environment,
            otlp: OtlpSettings::new(),
            traces_otlp: OtlpSettings::new(),
            metrics_otlp: OtlpSettings::new(),
            logs_otlp: OtlpSettings::new(),
            resource: Vec::new(),
            detectors: Vec::new(),
            sampler: None,
            traces: None,
            traces_to: None,
            metrics: None,
            metrics_to: None,
            logs: None,
            logs_to: None,
            events: None,
            disabled: None,
            schedule_delay: None,
            batch_len: None,
            queue_len_max: None,
            queue_bytes_max: QUEUE_BYTES_MAX,
            request_bytes_max: REQUEST_BYTES_MAX,
            outage_budget: None,
            log_schedule_delay: None,
            log_batch_len: None,
            log_queue_len_max: None,
            log_queue_bytes_max: LOG_QUEUE_BYTES_MAX,
            log_outage_budget: None,
            metric_interval: None,
            metric_timeout: None,
            metric_temporality: None,
            metric_histograms: None,
            own_metrics: None,
            limits: None,
            log_limits: None,
            redactor: Redactor::default(),
        }
    }

    setters! {
        /// Whether spans are recorded and exported.
        traces: Signal,
        /// Whether metrics are recorded and exported.
        metrics: Signal,
        /// Whether log records are exported.
        logs: Signal,
        /// Where events go. Without log records, to their spans, whatever is set here: nothing may be lost.
        events: EventTarget,
        /// Records and exports nothing; propagation goes on.
        disabled: bool,
        /// How long finished spans wait for company.
        schedule_delay: Duration,
        /// How many spans go into one request.
        batch_len: usize,
        /// How many finished spans may wait, beside the limit in bytes; those on their way don't count.
        queue_len_max: usize,
        /// How long a batch is kept while the Collector cannot be reached; one of log records, too, unless told otherwise.
        outage_budget: Duration,
        /// How long log records wait for company.
        log_schedule_delay: Duration,
        /// How many log records go into one request.
        log_batch_len: usize,
        /// How many log records may wait, beside the limit in bytes; those on their way don't count.
        log_queue_len_max: usize,
        /// How long a batch of log records is kept while the Collector cannot be reached.
        log_outage_budget: Duration,
        /// How often metrics are exported.
        metric_interval: Duration,
        /// How long one export of metrics may take, with everything that is tried again.
        metric_timeout: Duration,
        /// Whether sums start over with each export of metrics.
        metric_temporality: MetricTemporality,
        /// How histograms are kept.
        metric_histograms: MetricHistograms,
        /// Whether the exporter's own counters, those of the [`Report`](crate::Report), are exported with the metrics, as
        /// `otel.sdk.processor.*` and `otel.sdk.exporter.*`. They are not unless asked.
        own_metrics: Signal,
        /// How much one span may hold.
        limits: SpanLimits,
        /// How much one log record may hold.
        log_limits: LogLimits,
    }

    /// Reads these variables in place of the process's.
    pub fn environment(mut self, environment: Environment) -> Self {
        self.environment = environment;
        self
    }

    /// Where the Collector is, as `http://HOST:PORT` or `https://HOST:PORT`; over HTTP, `v1/traces`, `v1/metrics`
    /// and `v1/logs` are added to its path.
    pub fn endpoint(self, url: &str) -> Self {
        self.otlp(|otlp| otlp.endpoint(url))
    }

    /// How to speak to the Collector.
    pub fn protocol(self, protocol: Protocol) -> Self {
        self.otlp(|otlp| otlp.protocol(protocol))
    }

    /// A header of every request. Its value is a secret: it is shown nowhere.
    pub fn header(self, name: &str, value: &str) -> Self {
        self.otlp(|otlp| otlp.header(name, value))
    }

    /// How long one request may take.
    pub fn timeout(self, timeout: Duration) -> Self {
        self.otlp(|otlp| otlp.timeout(timeout))
    }

    /// How requests are compressed.
    pub fn compression(self, compression: Compression) -> Self {
        self.otlp(|otlp| otlp.compression(compression))
    }

    /// The PEM file of the authorities that the Collector's certificate may come from, in place of the system's.
    pub fn certificate(self, file: impl AsRef<Path>) -> Self {
        self.otlp(|otlp| otlp.certificate(file))
    }

    /// The PEM files of our own certificate and of the key to it: mutual TLS.
    pub fn client_certificate(self, certificate: impl AsRef<Path>, key: impl AsRef<Path>) -> Self {
        self.otlp(|otlp| otlp.client_certificate(certificate, key))
    }

    fn otlp(mut self, change: impl FnOnce(OtlpSettings) -> OtlpSettings) -> Self {
        self.otlp = change(self.otlp);
        self
    }

    /// What is different for spans.
    pub fn traces_otlp(mut self, otlp: OtlpSettings) -> Self {
        self.traces_otlp = otlp;
        self
    }

    /// What is different for metrics.
    pub fn metrics_otlp(mut self, otlp: OtlpSettings) -> Self {
        self.metrics_otlp = otlp;
        self
    }

    /// What is different for log records.
    pub fn logs_otlp(mut self, otlp: OtlpSettings) -> Self {
        self.logs_otlp = otlp;
        self
    }

    /// Where spans go. What becomes of a span is what became of it in the first place; the others get a copy, whose loss is
    /// counted as [`copies_failed`](crate::Report::copies_failed). Nowhere is the same as [`Signal::Off`].
    pub fn traces_to(mut self, destinations: impl IntoIterator<Item = Destination>) -> Self {
        self.traces_to = Some(destinations.into_iter().collect());
        self
    }

    /// Where metrics go, as [`traces_to`](Self::traces_to).
    pub fn metrics_to(mut self, destinations: impl IntoIterator<Item = Destination>) -> Self {
        self.metrics_to = Some(destinations.into_iter().collect());
        self
    }

    /// Where log records go, as [`traces_to`](Self::traces_to).
    pub fn logs_to(mut self, destinations: impl IntoIterator<Item = Destination>) -> Self {
        self.logs_to = Some(destinations.into_iter().collect());
        self
    }

    /// An attribute of the resource; `service.name` here beats every other way to name the service.
    pub fn resource(mut self, key: &str, value: &str) -> Self {
        self.resource.push((key.to_owned(), value.to_owned()));
        self
    }

    /// What finds out where the program runs; nothing unless asked. What it finds gives way to the environment and to
    /// [`resource`](Self::resource).
    pub fn resource_detectors(mut self, detectors: impl IntoIterator<Item = Detector>) -> Self {
        self.detectors = detectors.into_iter().collect();
        self
    }

    /// Which traces are recorded.
    pub fn sampler(mut self, sampler: impl Sampler) -> Self {
        self.sampler = Some(Box::new(sampler));
        self
    }

    /// How many bytes of spans may wait or be on their way.
    pub fn queue_bytes_max(mut self, max: usize) -> Self {
        self.queue_bytes_max = max;
        self
    }

    /// How many bytes of log records may wait or be on their way.
    pub fn log_queue_bytes_max(mut self, max: usize) -> Self {
        self.log_queue_bytes_max = max;
        self
    }

    /// How long one request may be, before compression; what is longer alone is dropped and counted.
    pub fn request_bytes_max(mut self, max: usize) -> Self {
        self.request_bytes_max = max;
        self
    }

    /// What is kept out of the resource: rules, or a [`Redactor`] that others have, too; the default rules unless set.
    ///
    /// It is handed on in [`Built`], for the layers and for the pipeline.
    pub fn redaction(mut self, redaction: impl Into<Redactor>) -> Self {
        self.redactor = redaction.into();
        self
    }

    /// Starts the export thread.
    ///
    /// # Errors
    /// For a value in code that cannot be used, named with what is wrong with it. A bad variable is a warning instead,
    /// which says what is used in its place.
    pub fn build(mut self) -> Result<Built, InitError> {
        let mut warnings = Vec::new();
        let plan = self.plan(&mut warnings)?;
        self.environment.refused().into_iter().for_each(|refused| refused.note(&mut warnings));
        let exporter = start::exporter(&plan)?;
        let service = plan.resource.get(SERVICE_NAME).unwrap_or(&self.service).to_owned();
        Ok(Built {
            exporter,
            service,
            resource: plan.resource.iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect(),
            traces: Signal::of(&plan.traces),
            logs: Signal::of(&plan.logs),
            events: plan.events,
            log_limits: plan.log_limits,
            sampler: BoxedSampler(plan.sampler),
            limits: plan.limits,
            redactor: self.redactor,
            warnings,
        })
    }

    fn plan(&mut self, warnings: &mut Vec<EnvWarning>) -> Result<Plan, InitError> {
        let environment = self.environment.clone();
        let mut variables = Variables { environment: &environment, warnings };
        let off = match self.disabled {
            Some(disabled) => disabled,
            None => environment.boolean(env::OTEL_SDK_DISABLED, variables.warnings),
        };
        let traces = self.ways(&mut variables, off, SignalKind::Traces)?;
        let logs = self.ways(&mut variables, off, SignalKind::Logs)?;
        let metrics = self.ways(&mut variables, off, SignalKind::Metrics)?;
        Ok(Plan {
            events: match Signal::of(&logs) {
                Signal::On => self.events.unwrap_or(EventTarget::LogRecord),
                Signal::Off => EventTarget::SpanEvent,
            },
            traces,
            logs,
            metrics: self.metrics_plan(&mut variables, metrics),
            own_metrics: self.own_metrics.unwrap_or(Signal::Off),
            batching: variables.batching(&BatchingInCode {
                delay: (self.schedule_delay, env::OTEL_BSP_SCHEDULE_DELAY),
                batch_len: (self.batch_len, "batch_len", env::OTEL_BSP_MAX_EXPORT_BATCH_SIZE),
                queue_len_max: (self.queue_len_max, env::OTEL_BSP_MAX_QUEUE_SIZE),
                queue_bytes_max: self.queue_bytes_max,
                outage_budget: (self.outage_budget, env::OTEL_BSP_EXPORT_TIMEOUT),
            })?,
            log_batching: variables.batching(&BatchingInCode {
                delay: (self.log_schedule_delay, env::OTEL_BLRP_SCHEDULE_DELAY),
                batch_len: (self.log_batch_len, "log_batch_len", env::OTEL_BLRP_MAX_EXPORT_BATCH_SIZE),
                queue_len_max: (self.log_queue_len_max, env::OTEL_BLRP_MAX_QUEUE_SIZE),
                queue_bytes_max: self.log_queue_bytes_max,
                outage_budget: (self.log_outage_budget.or(self.outage_budget), env::OTEL_BLRP_EXPORT_TIMEOUT),
            })?,
            request_bytes_max: self.request_bytes_max,
            limits: match self.limits {
                Some(limits) => limits,
                None => variables.span_limits(),
            },
            log_limits: match self.log_limits {
                Some(limits) => limits,
                None => variables.log_limits(),
            },
            sampler: match self.sampler.take() {
                Some(sampler) => sampler,
                None => variables.sampler(),
            },
            resource: Resource::new(
                &self.service,
                &self.resource,
                &environment,
                &self.detectors,
                variables.warnings,
            )
            .redacted(&self.redactor),
        })
    }

    /// Where a signal goes by code, which beats the variable: off, to these places, or on, wherever that is.
    fn ways(
        &self,
        variables: &mut Variables<'_>,
        off: bool,
        kind: SignalKind,
    ) -> Result<Vec<Way>, InitError> {
        const OTLP: &[Destination] = &[Destination::Otlp];
        let (name, signal, to, own, unset) = match kind {
            SignalKind::Traces => {
                (env::OTEL_TRACES_EXPORTER, self.traces, &self.traces_to, &self.traces_otlp, OTLP)
            }
            SignalKind::Metrics => {
                (env::OTEL_METRICS_EXPORTER, self.metrics, &self.metrics_to, &self.metrics_otlp, OTLP)
            }
            SignalKind::Logs => (env::OTEL_LOGS_EXPORTER, self.logs, &self.logs_to, &self.logs_otlp, &[][..]),
        };
        if off || signal == Some(Signal::Off) {
            return Ok(Vec::new());
        }
        let unset = if signal == Some(Signal::On) { OTLP } else { unset };
        let mut destinations = variables.destinations(name, to.as_deref(), unset);
        if destinations.is_empty() {
            destinations.extend(signal.map(|_on| Destination::Otlp));
        }
        variables.ways(kind, destinations, &InCode { all: &self.otlp, own })
    }

    fn metrics_plan(&self, variables: &mut Variables<'_>, ways: Vec<Way>) -> MetricsPlan {
        MetricsPlan {
            ways,
            interval: match self.metric_interval {
                Some(interval) => interval,
                None => variables.millis(env::OTEL_METRIC_EXPORT_INTERVAL, METRIC_INTERVAL),
            },
            timeout: match self.metric_timeout {
                Some(timeout) => timeout,
                None => variables.millis(env::OTEL_METRIC_EXPORT_TIMEOUT, METRIC_TIMEOUT),
            },
            temporality: match self.metric_temporality {
                Some(temporality) => temporality,
                None => variables.parsed(
                    env::OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE,
                    MetricTemporality::default(),
                ),
            },
            histograms: match self.metric_histograms {
                Some(histograms) => histograms,
                None => variables.parsed(
                    env::OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION,
                    MetricHistograms::default(),
                ),
            },
        }
    }
}

impl fmt::Debug for ExporterBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExporterBuilder").field("service", &self.service).finish_non_exhaustive()
    }
}
