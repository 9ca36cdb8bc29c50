//! The front door: everything set up with one call.

use std::{fmt, time::Duration};

use throughline_core::{
    BaggageFields, DIAGNOSTICS_TARGET, Filters, KnownMethods, Orphans, Propagator, Sampler,
    env::{self, EnvWarning, Environment},
    parse_filter,
    redact::Redactor,
};
use throughline_logs::{Format, JsonLayerBuilder, Output, UnknownFormat};
use throughline_otlp::{Compression, EventTarget, ExporterBuilder, Protocol, Signal, SpanLimits};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;

use crate::{InitError, Telemetry, panic_hook, parts::Parts};

/// Sets up telemetry for the whole process: JSON lines on standard output, spans and metrics over OTLP.
///
/// `service` names the service where neither `OTEL_SERVICE_NAME` nor `OTEL_RESOURCE_ATTRIBUTES` does. Everything else
/// comes from the environment; [`builder`] has a setter for each.
///
/// # Errors
/// When a subscriber is installed already, or a thread cannot be started. A bad variable is no error: it is logged with
/// its value and what is used instead.
pub fn init(service: &str) -> Result<Telemetry, InitError> {
    builder(service).install()
}

/// Starts the set-up of telemetry for `service`, with the environment of this process.
pub fn builder(service: &str) -> Builder {
    let environment = Environment::process();
    Builder {
        service: service.to_owned(),
        exporter: throughline_otlp::builder(service).environment(environment.clone()),
        environment,
        logs: None,
        format: None,
        log_lines: None,
        baggage_fields: BaggageFields::default(),
        log_filter: None,
        span_filter: None,
        diagnostics_level: None,
        propagator: Propagator::default(),
        orphans: None,
        panics: Panics::Untold,
        known_methods: None,
        #[cfg(feature = "opentelemetry")]
        opentelemetry: crate::opentelemetry::Choice::default(),
        strict: Strictness::Warn,
    }
}

/// Puts telemetry together; ends with [`install`](Self::install) or [`build`](Self::build).
#[must_use = "nothing is set up until `install` or `build` is called"]
pub struct Builder {
    service: String,
    environment: Environment,
    exporter: ExporterBuilder,
    logs: Option<Logs>,
    format: Option<Format>,
    log_lines: Option<ChangeOfLines>,
    baggage_fields: BaggageFields,
    log_filter: Option<Targets>,
    span_filter: Option<Targets>,
    diagnostics_level: Option<LevelFilter>,
    propagator: Propagator,
    orphans: Option<Orphans>,
    panics: Panics,
    known_methods: Option<KnownMethods>,
    #[cfg(feature = "opentelemetry")]
    pub(crate) opentelemetry: crate::opentelemetry::Choice,
    strict: Strictness,
}

/// What is changed about the lines.
pub(crate) type ChangeOfLines = Box<dyn FnOnce(JsonLayerBuilder) -> JsonLayerBuilder>;

/// Where log lines go.
#[derive(Debug)]
enum Logs {
    Off,
    To(Output),
}

/// What becomes of panics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Panics {
    Untold,
    Recorded,
}

/// What a bad variable is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Strictness {
    Warn,
    Fail,
}

impl Builder {
    /// Reads these variables in place of the process's.
    pub fn environment(mut self, environment: Environment) -> Self {
        self.exporter = self.exporter.environment(environment.clone());
        self.environment = environment;
        self
    }

    /// Makes a bad variable an error of [`install`](Self::install) instead of a warning.
    pub fn strict_environment(mut self) -> Self {
        self.strict = Strictness::Fail;
        self
    }

    /// Names the service, whatever the environment says.
    pub fn service_name(self, name: &str) -> Self {
        self.resource(throughline_core::semconv::resource::SERVICE_NAME, name)
    }

    /// Adds an attribute to everything that is exported.
    pub fn resource(self, key: &str, value: &str) -> Self {
        self.exporter(|exporter| exporter.resource(key, value))
    }

    /// Where the Collector is (`OTEL_EXPORTER_OTLP_ENDPOINT`).
    pub fn endpoint(self, url: &str) -> Self {
        self.exporter(|exporter| exporter.endpoint(url))
    }

    /// How to speak to the Collector (`OTEL_EXPORTER_OTLP_PROTOCOL`).
    pub fn protocol(self, protocol: Protocol) -> Self {
        self.exporter(|exporter| exporter.protocol(protocol))
    }

    /// A header of every export request (`OTEL_EXPORTER_OTLP_HEADERS`); its value is shown nowhere.
    pub fn header(self, name: &str, value: &str) -> Self {
        self.exporter(|exporter| exporter.header(name, value))
    }

    /// How long one export request may take (`OTEL_EXPORTER_OTLP_TIMEOUT`).
    pub fn timeout(self, timeout: Duration) -> Self {
        self.exporter(|exporter| exporter.timeout(timeout))
    }

    /// How export requests are compressed (`OTEL_EXPORTER_OTLP_COMPRESSION`).
    pub fn compression(self, compression: Compression) -> Self {
        self.exporter(|exporter| exporter.compression(compression))
    }

    /// Which traces are recorded (`OTEL_TRACES_SAMPLER`).
    pub fn sampler(self, sampler: impl Sampler) -> Self {
        self.exporter(|exporter| exporter.sampler(sampler))
    }

    /// How much one span may hold (`OTEL_SPAN_*_LIMIT` and others).
    pub fn span_limits(self, limits: SpanLimits) -> Self {
        self.exporter(|exporter| exporter.limits(limits))
    }

    /// Whether spans are recorded and exported (`OTEL_TRACES_EXPORTER`).
    pub fn traces(self, traces: Signal) -> Self {
        self.exporter(|exporter| exporter.traces(traces))
    }

    /// Whether metrics are recorded and exported (`OTEL_METRICS_EXPORTER`).
    pub fn metrics(self, metrics: Signal) -> Self {
        self.exporter(|exporter| exporter.metrics(metrics))
    }

    /// Whether events are exported as OTLP log records (`OTEL_LOGS_EXPORTER`); they are not unless asked.
    ///
    /// They then become log records in place of events on their span; [`events`](Self::events) has the choice.
    pub fn log_records(self, logs: Signal) -> Self {
        self.exporter(|exporter| exporter.logs(logs))
    }

    /// Where events go beside their line. Without log records, to their spans, whatever is set here.
    pub fn events(self, target: EventTarget) -> Self {
        self.exporter(|exporter| exporter.events(target))
    }

    /// Records and exports nothing (`OTEL_SDK_DISABLED`); log lines and propagation go on.
    pub fn disabled(self, disabled: bool) -> Self {
        self.exporter(|exporter| exporter.disabled(disabled))
    }

    /// What is kept out of lines, spans and the resource: rules, a closure that judges names, or
    /// [`Off`](throughline_core::redact::Off). The default rules unless set; [`redact`](throughline_core::redact) has them.
    pub fn redaction(self, redaction: impl Into<Redactor>) -> Self {
        self.exporter(|exporter| exporter.redaction(redaction))
    }

    /// Changes what has no setter here.
    pub fn exporter(mut self, change: impl FnOnce(ExporterBuilder) -> ExporterBuilder) -> Self {
        self.exporter = change(self.exporter);
        self
    }

    /// Where log lines go; standard output unless told otherwise.
    pub fn log_output(mut self, output: Output) -> Self {
        self.logs = Some(Logs::To(output));
        self
    }

    /// Writes no log lines.
    pub fn without_logs(mut self) -> Self {
        self.logs = Some(Logs::Off);
        self
    }

    /// The shape of a log line (`THROUGHLINE_LOG_FORMAT`).
    pub fn log_format(mut self, format: Format) -> Self {
        self.format = Some(format);
        self
    }

    /// Changes what has no setter here about the lines: limits, names and case of keys, options of a format.
    ///
    /// ```no_run
    /// use throughline::logs::KeyCase;
    ///
    /// let telemetry = throughline::builder("orders")
    ///     .log_lines(|lines| lines.key_case(KeyCase::Camel).rename("level", "severity"))
    ///     .install()?;
    /// # Ok::<(), throughline::InitError>(())
    /// ```
    pub fn log_lines(mut self, change: impl FnOnce(JsonLayerBuilder) -> JsonLayerBuilder + 'static) -> Self {
        self.log_lines = Some(match self.log_lines {
            None => Box::new(change),
            Some(earlier) => Box::new(|lines| change(earlier(lines))),
        });
        self
    }

    /// Which members of the baggage are told on log lines, spans and log records; none unless named.
    pub fn baggage_fields(mut self, fields: BaggageFields) -> Self {
        self.baggage_fields = fields;
        self
    }

    /// Which events become log lines (`RUST_LOG`).
    pub fn log_filter(mut self, filter: Targets) -> Self {
        self.log_filter = Some(filter);
        self
    }

    /// Which spans exist, and which events are kept on them (`THROUGHLINE_SPANS`).
    pub fn span_filter(mut self, filter: Targets) -> Self {
        self.span_filter = Some(filter);
        self
    }

    /// How much throughline says of itself on log lines (`OTEL_LOG_LEVEL`), whatever the log filter says of it.
    pub fn diagnostics_level(mut self, level: LevelFilter) -> Self {
        self.diagnostics_level = Some(level);
        self
    }

    /// How ids, baggage and correlation id travel.
    ///
    /// `OTEL_PROPAGATORS` says in which formats, unless [`Propagator::formats`] does.
    pub fn propagator(mut self, propagator: Propagator) -> Self {
        self.propagator = propagator;
        self
    }

    /// Which HTTP methods spans and metrics tell apart (`OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS`), in place of those
    /// of the conventions.
    pub fn known_methods(mut self, methods: KnownMethods) -> Self {
        self.known_methods = Some(methods);
        self
    }

    /// Finds tasks, requests and messages that have left their trace (`THROUGHLINE_ORPHANS`): for development.
    pub fn orphans(mut self, orphans: Orphans) -> Self {
        self.orphans = Some(orphans);
        self
    }

    /// Makes each panic a log line and an event on its span, by a panic hook that [`install`](Self::install) puts before the
    /// one that is there. The message of the panic is told as it is.
    pub fn record_panics(mut self) -> Self {
        self.panics = Panics::Recorded;
        self
    }

    /// Sets everything up and makes it the subscriber of the whole process.
    ///
    /// # Errors
    /// As [`build`](Self::build), and when a subscriber is installed already.
    pub fn install(self) -> Result<Telemetry, InitError> {
        let panics = self.panics;
        let (telemetry, warnings) = self.build_with_warnings()?;
        tracing::dispatcher::set_global_default(telemetry.dispatch())
            .map_err(|error| InitError::caused("another tracing subscriber is installed already", error))?;
        #[cfg(feature = "opentelemetry")]
        if let Some(sdk) = telemetry.opentelemetry() {
            sdk.make_global();
        }
        if panics == Panics::Recorded {
            panic_hook::install();
        }
        for warning in &warnings {
            tracing::warn!(target: DIAGNOSTICS_TARGET, "{warning}");
        }
        Ok(telemetry)
    }

    /// Sets everything up for one subscriber, which [`Telemetry::dispatch`] returns: nothing of it is global.
    ///
    /// # Errors
    /// When a value in code cannot be used, an output cannot be opened, or a thread cannot be started.
    pub fn build(self) -> Result<Telemetry, InitError> {
        let (telemetry, warnings) = self.build_with_warnings()?;
        tracing::dispatcher::with_default(&telemetry.dispatch(), || {
            for warning in &warnings {
                tracing::warn!(target: DIAGNOSTICS_TARGET, "{warning}");
            }
        });
        Ok(telemetry)
    }

    fn build_with_warnings(mut self) -> Result<(Telemetry, Vec<EnvWarning>), InitError> {
        let mut warnings = Vec::new();
        let filters = self.filters(&mut warnings);
        let propagator = self.propagator.environment(&self.environment, &mut warnings);
        let format = match self.format {
            Some(format) => format,
            None => self.environment.read(
                env::THROUGHLINE_LOG_FORMAT,
                Format::default(),
                &mut warnings,
                |value| value.parse().map_err(|unknown: UnknownFormat| unknown.to_string()),
            ),
        };
        let is_wanted = |warnings: &mut _| self.environment.boolean(env::THROUGHLINE_ORPHANS, warnings);
        let orphans = self.orphans.take().or_else(|| is_wanted(&mut warnings).then(Orphans::new));
        let known_methods =
            self.known_methods.take().or_else(|| known_methods(&self.environment, &mut warnings));
        let built = self
            .exporter
            .build()
            .map_err(|error| InitError::caused("the exporter cannot be set up", error))?;
        warnings.extend(built.warnings.iter().cloned());
        if let (Strictness::Fail, Some(warning)) = (self.strict, warnings.first()) {
            return Err(InitError::new(warning.to_string()));
        }
        let output = match self.logs {
            Some(Logs::Off) => None,
            Some(Logs::To(output)) => Some(output),
            None => Some(Output::stdout()),
        };
        let (log_lines, baggage_fields) = (self.log_lines, self.baggage_fields);
        let parts = Parts {
            built,
            output,
            format,
            log_lines,
            baggage_fields,
            filters,
            propagator,
            orphans,
            known_methods,
            #[cfg(feature = "opentelemetry")]
            opentelemetry: self.opentelemetry,
        };
        Ok((parts.assemble()?, warnings))
    }

    fn filters(&mut self, warnings: &mut Vec<EnvWarning>) -> Filters {
        let logs =
            self.log_filter.take().unwrap_or_else(|| targets(&self.environment, env::RUST_LOG, warnings));
        let spans = self
            .span_filter
            .take()
            .unwrap_or_else(|| targets(&self.environment, env::THROUGHLINE_SPANS, warnings));
        let logs = match self.diagnostics_level.or_else(|| diagnostics_level(&self.environment, warnings)) {
            Some(level) => logs.with_target(DIAGNOSTICS_TARGET, level),
            None => logs,
        };
        Filters::new(logs, spans)
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder").field("service", &self.service).finish_non_exhaustive()
    }
}

/// The methods in the environment; `None` for those of the conventions.
fn known_methods(environment: &Environment, warnings: &mut Vec<EnvWarning>) -> Option<KnownMethods> {
    let name = env::OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS;
    let value = environment.get(name)?;
    let parsed = value.parse::<KnownMethods>();
    parsed
        .map_err(|problem| {
            let used = KnownMethods::default();
            EnvWarning::new(name, value, problem.to_string(), used).note(warnings);
        })
        .ok()
}

/// The level of our own diagnostics; `None` where the log filter decides on them like on everything else.
fn diagnostics_level(environment: &Environment, warnings: &mut Vec<EnvWarning>) -> Option<LevelFilter> {
    let value = environment.get(env::OTEL_LOG_LEVEL)?;
    let level = if value.eq_ignore_ascii_case("none") { Ok(LevelFilter::OFF) } else { value.parse() };
    level
        .map_err(|_| {
            let problem = "none of off, error, warn, info, debug and trace";
            EnvWarning::new(env::OTEL_LOG_LEVEL, value, problem, "the log filter").note(warnings);
        })
        .ok()
}

/// The filter in a variable; everything at INFO and above where it is unset or bad.
fn targets(environment: &Environment, name: &str, warnings: &mut Vec<EnvWarning>) -> Targets {
    let parsed = environment.get(name).map(|value| (value, parse_filter(value)));
    let problem = match parsed {
        Some((_, Ok(targets))) => return targets,
        Some((value, Err(problem))) => Some((value, problem)),
        None => None,
    };
    if let Some((value, problem)) = problem {
        EnvWarning::new(name, value, problem.to_string(), "info").note(warnings);
    }
    Targets::new().with_default(LevelFilter::INFO)
}
