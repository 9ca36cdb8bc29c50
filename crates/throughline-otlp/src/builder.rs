//! Setting up the exporter.

use std::{fmt, time::Duration};

use throughline_core::{
    Sampler, SpanContext, TraceId,
    env::{EnvWarning, Environment},
    redact::Redactor,
    semconv::resource::SERVICE_NAME,
};

use crate::{
    EventTarget, InitError,
    exporter::Exporter,
    limits::{LogLimits, SpanLimits},
    plan::{InCode, Variables},
    queue::QUEUE_BYTES_MAX,
    resource::Resource,
    settings::{BATCH_LEN_MAX, Compression, Endpoint, OUTAGE_BUDGET, Protocol, SCHEDULE_DELAY},
    start,
};

/// What the queue of log records holds at most, in bytes.
pub const LOG_QUEUE_BYTES_MAX: usize = 16 * 1024 * 1024;
/// How often metrics are exported (`OTEL_METRIC_EXPORT_INTERVAL`).
pub const METRIC_INTERVAL: Duration = Duration::from_secs(60);

/// Puts an [`Exporter`] together; ends with [`build`](Self::build).
///
/// | setter | variable | default |
/// |---|---|---|
/// | [`endpoint`](Self::endpoint) | `OTEL_EXPORTER_OTLP_ENDPOINT`, `…_TRACES_ENDPOINT`, `…_METRICS_ENDPOINT` | `http://localhost:4318`, gRPC `4317` |
/// | [`protocol`](Self::protocol) | `OTEL_EXPORTER_OTLP_PROTOCOL`, per signal, too | `http/protobuf` |
/// | [`header`](Self::header) | `OTEL_EXPORTER_OTLP_HEADERS`, per signal, too | none |
/// | [`timeout`](Self::timeout) | `OTEL_EXPORTER_OTLP_TIMEOUT`, per signal, too | 10 s |
/// | [`compression`](Self::compression) | `OTEL_EXPORTER_OTLP_COMPRESSION`, per signal, too | none |
/// | [`resource`](Self::resource) | `OTEL_RESOURCE_ATTRIBUTES`, `OTEL_SERVICE_NAME` | the service's name |
/// | [`sampler`](Self::sampler) | `OTEL_TRACES_SAMPLER`, `OTEL_TRACES_SAMPLER_ARG` | `parentbased_always_on` |
/// | [`traces`](Self::traces) | `OTEL_TRACES_EXPORTER` | on |
/// | [`metrics`](Self::metrics) | `OTEL_METRICS_EXPORTER` | on |
/// | [`logs`](Self::logs) | `OTEL_LOGS_EXPORTER` | off |
/// | [`disabled`](Self::disabled) | `OTEL_SDK_DISABLED` | false |
/// | [`schedule_delay`](Self::schedule_delay) | `OTEL_BSP_SCHEDULE_DELAY` | 1 s |
/// | [`batch_len`](Self::batch_len) | `OTEL_BSP_MAX_EXPORT_BATCH_SIZE` | 512 |
/// | [`log_schedule_delay`](Self::log_schedule_delay) | `OTEL_BLRP_SCHEDULE_DELAY` | 1 s |
/// | [`log_batch_len`](Self::log_batch_len) | `OTEL_BLRP_MAX_EXPORT_BATCH_SIZE` | 512 |
/// | [`log_limits`](Self::log_limits) | `OTEL_LOGRECORD_ATTRIBUTE_…`, `OTEL_ATTRIBUTE_…` | 128, texts of any length |
/// | [`log_queue_bytes_max`](Self::log_queue_bytes_max) | – | 16 MiB |
/// | [`events`](Self::events) | – | on spans; with logs on, log records |
/// | [`metric_interval`](Self::metric_interval) | `OTEL_METRIC_EXPORT_INTERVAL` | 60 s |
/// | [`limits`](Self::limits) | `OTEL_SPAN_*_COUNT_LIMIT`, `OTEL_EVENT_…`, `OTEL_LINK_…`, `OTEL_ATTRIBUTE_…` | 128, texts of any length |
/// | [`queue_bytes_max`](Self::queue_bytes_max) | – | 64 MiB |
/// | [`outage_budget`](Self::outage_budget) | – | 60 s |
/// | [`redaction`](Self::redaction) | – | the default rules |
#[must_use = "nothing is exported until `build` is called"]
pub struct ExporterBuilder {
    service: String,
    environment: Environment,
    endpoint: Option<String>,
    protocol: Option<Protocol>,
    headers: Vec<(String, String)>,
    timeout: Option<Duration>,
    compression: Option<Compression>,
    resource: Vec<(String, String)>,
    sampler: Option<Box<dyn Sampler>>,
    traces: Option<Signal>,
    metrics: Option<Signal>,
    logs: Option<Signal>,
    events: Option<EventTarget>,
    log_delay: Option<Duration>,
    log_batch_len: Option<usize>,
    log_limits: Option<LogLimits>,
    log_queue_bytes_max: usize,
    disabled: Option<bool>,
    delay: Option<Duration>,
    batch_len: Option<usize>,
    metric_interval: Option<Duration>,
    limits: Option<SpanLimits>,
    queue_bytes_max: usize,
    outage_budget: Duration,
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
            endpoint: None,
            protocol: None,
            headers: Vec::new(),
            timeout: None,
            compression: None,
            resource: Vec::new(),
            sampler: None,
            traces: None,
            metrics: None,
            logs: None,
            events: None,
            log_delay: None,
            log_batch_len: None,
            log_limits: None,
            log_queue_bytes_max: LOG_QUEUE_BYTES_MAX,
            disabled: None,
            delay: None,
            batch_len: None,
            metric_interval: None,
            limits: None,
            queue_bytes_max: QUEUE_BYTES_MAX,
            outage_budget: OUTAGE_BUDGET,
            redactor: Redactor::default(),
        }
    }

    setters! {
        /// How to speak to the Collector.
        protocol: Protocol,
        /// How long one request may take.
        timeout: Duration,
        /// How requests are compressed.
        compression: Compression,
        /// Whether spans are recorded and exported.
        traces: Signal,
        /// Whether metrics are recorded and exported.
        metrics: Signal,
        /// Whether log records are exported.
        logs: Signal,
        /// Where events go. Without log records, to their spans, whatever is set here: nothing may be lost.
        events: EventTarget,
        /// How much one log record may hold.
        log_limits: LogLimits,
        /// How many log records go into one request.
        log_batch_len: usize,
        /// Records and exports nothing; propagation goes on.
        disabled: bool,
        /// How often metrics are exported.
        metric_interval: Duration,
        /// How much one span may hold.
        limits: SpanLimits,
    }

    /// Reads these variables in place of the process's.
    pub fn environment(mut self, environment: Environment) -> Self {
        self.environment = environment;
        self
    }

    /// Where the Collector is, as `http://HOST:PORT`; over HTTP, `v1/traces`, `v1/metrics` and `v1/logs` are added to
    /// its path.
    pub fn endpoint(mut self, url: &str) -> Self {
        self.endpoint = Some(url.to_owned());
        self
    }

    /// A header of every request. Its value is a secret: it is shown nowhere.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// An attribute of the resource; `service.name` here beats every other way to name the service.
    pub fn resource(mut self, key: &str, value: &str) -> Self {
        self.resource.push((key.to_owned(), value.to_owned()));
        self
    }

    /// Which traces are recorded.
    pub fn sampler(mut self, sampler: impl Sampler) -> Self {
        self.sampler = Some(Box::new(sampler));
        self
    }

    /// How long finished spans wait for company.
    pub fn schedule_delay(mut self, delay: Duration) -> Self {
        self.delay = Some(delay);
        self
    }

    /// How long log records wait for company.
    pub fn log_schedule_delay(mut self, delay: Duration) -> Self {
        self.log_delay = Some(delay);
        self
    }

    /// How many bytes of log records may wait or be on their way.
    pub fn log_queue_bytes_max(mut self, max: usize) -> Self {
        self.log_queue_bytes_max = max;
        self
    }

    /// How many spans go into one request.
    pub fn batch_len(mut self, max: usize) -> Self {
        self.batch_len = Some(max);
        self
    }

    /// How many bytes of spans may wait or be on their way.
    pub fn queue_bytes_max(mut self, max: usize) -> Self {
        self.queue_bytes_max = max;
        self
    }

    /// How long a batch is kept while the Collector cannot be reached.
    pub fn outage_budget(mut self, budget: Duration) -> Self {
        self.outage_budget = budget;
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
        let exporter = start::exporter(&plan)?;
        let service = plan.resource.get(SERVICE_NAME).unwrap_or(&self.service).to_owned();
        Ok(Built {
            exporter,
            service,
            resource: plan.resource.iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect(),
            traces: plan.traces,
            logs: plan.logs,
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
        let code = InCode {
            endpoint: self.endpoint.as_deref(),
            protocol: self.protocol,
            headers: &self.headers,
            timeout: self.timeout,
            compression: self.compression,
        };
        let off = match self.disabled {
            Some(disabled) => disabled,
            None => environment.boolean("OTEL_SDK_DISABLED", variables.warnings),
        };
        let mut signal = |code: Option<Signal>, name: &str, unset| match code {
            _ if off => Signal::Off,
            Some(signal) => signal,
            None => variables.signal(name, unset),
        };
        let traces = signal(self.traces, "OTEL_TRACES_EXPORTER", "otlp");
        let metrics = signal(self.metrics, "OTEL_METRICS_EXPORTER", "otlp");
        let logs = signal(self.logs, "OTEL_LOGS_EXPORTER", "none");
        let mut batch_len = |setter: &str, code: Option<usize>, name: &str| match code {
            Some(0) => Err(InitError::new(setter, "0", "a batch holds at least one record")),
            Some(len) => Ok(len),
            None => Ok(variables.positive(name, BATCH_LEN_MAX)),
        };
        let (span_batch, log_batch) = (
            batch_len("batch_len", self.batch_len, "OTEL_BSP_MAX_EXPORT_BATCH_SIZE")?,
            batch_len("log_batch_len", self.log_batch_len, "OTEL_BLRP_MAX_EXPORT_BATCH_SIZE")?,
        );
        let mut delay = |code: Option<Duration>, name: &str| match code {
            Some(delay) => delay,
            None => variables.millis(name, SCHEDULE_DELAY),
        };
        let batching = Batching {
            delay: delay(self.delay, "OTEL_BSP_SCHEDULE_DELAY"),
            batch_len: span_batch,
            queue_bytes_max: self.queue_bytes_max,
        };
        let log_batching = Batching {
            delay: delay(self.log_delay, "OTEL_BLRP_SCHEDULE_DELAY"),
            batch_len: log_batch,
            queue_bytes_max: self.log_queue_bytes_max,
        };
        Ok(Plan {
            traces,
            metrics,
            logs,
            events: match logs {
                Signal::On => self.events.unwrap_or(EventTarget::LogRecord),
                Signal::Off => EventTarget::SpanEvent,
            },
            batching,
            log_batching,
            log_limits: match self.log_limits {
                Some(limits) => limits,
                None => variables.log_limits(),
            },
            logs_endpoint: variables.endpoint("LOGS", &code)?,
            traces_endpoint: variables.endpoint("TRACES", &code)?,
            metrics_endpoint: variables.endpoint("METRICS", &code)?,
            metric_interval: match self.metric_interval {
                Some(interval) => interval,
                None => variables.millis("OTEL_METRIC_EXPORT_INTERVAL", METRIC_INTERVAL),
            },
            limits: match self.limits {
                Some(limits) => limits,
                None => variables.span_limits(),
            },
            sampler: match self.sampler.take() {
                Some(sampler) => sampler,
                None => variables.sampler(),
            },
            resource: Resource::new(&self.service, &self.resource, &environment, variables.warnings)
                .redacted(&self.redactor),
            outage_budget: self.outage_budget,
        })
    }
}

impl fmt::Debug for ExporterBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExporterBuilder").field("service", &self.service).finish_non_exhaustive()
    }
}

/// Everything that is in force.
pub(crate) struct Plan {
    pub(crate) traces: Signal,
    pub(crate) metrics: Signal,
    pub(crate) logs: Signal,
    pub(crate) events: EventTarget,
    pub(crate) batching: Batching,
    pub(crate) log_batching: Batching,
    pub(crate) log_limits: LogLimits,
    pub(crate) logs_endpoint: Endpoint,
    pub(crate) traces_endpoint: Endpoint,
    pub(crate) metrics_endpoint: Endpoint,
    pub(crate) metric_interval: Duration,
    pub(crate) limits: SpanLimits,
    pub(crate) sampler: Box<dyn Sampler>,
    pub(crate) resource: Resource,
    pub(crate) outage_budget: Duration,
}

/// How the records of one signal wait and go together.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Batching {
    pub(crate) delay: Duration,
    pub(crate) batch_len: usize,
    pub(crate) queue_bytes_max: usize,
}
