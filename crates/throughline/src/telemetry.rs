//! The guard of a running pipeline, and the report at its end.

use std::{
    fmt,
    time::{Duration, Instant},
};

use throughline_core::{
    FilterError, LogFilterHandle, Pipeline, PropagationCounters, redact::RedactionCounters,
};
use throughline_logs::{LogCounters, LogStats, WriterGuard};
use throughline_otlp::Exporter;
use tracing::Dispatch;

/// A running pipeline. Keep it until the end of `main`, and end it with [`shutdown`](Self::shutdown).
///
/// Dropped without that, it flushes for a few seconds and says on standard error if something was lost.
#[derive(Debug)]
#[must_use = "telemetry ends when this is dropped"]
pub struct Telemetry {
    pub(crate) dispatch: Dispatch,
    pub(crate) exporter: Exporter,
    pub(crate) writer: Option<WriterGuard>,
    pub(crate) lines: Option<LogCounters>,
    pub(crate) pipeline: Pipeline,
    pub(crate) log_filter: LogFilterHandle,
    #[cfg(feature = "opentelemetry")]
    pub(crate) sdk: Option<throughline_otlp::sdk::OpenTelemetry>,
}

impl Telemetry {
    /// The subscriber, for use without [`install`](crate::Builder::install): as the default of a thread or a future.
    #[must_use]
    pub fn dispatch(&self) -> Dispatch {
        self.dispatch.clone()
    }

    /// Changes which events become log lines, from now on: `telemetry.log_filter("info,orders=debug")`.
    ///
    /// # Errors
    /// If the directives cannot be read; the filter then stays as it is.
    pub fn log_filter(&self, directives: &str) -> Result<(), FilterError> {
        self.log_filter.set(directives)
    }

    /// The log filter, shown and set while the program runs.
    #[must_use]
    pub fn log_filter_handle(&self) -> LogFilterHandle {
        self.log_filter.clone()
    }

    /// The OpenTelemetry SDK over this pipeline, with its tracer provider; `None` where it was not asked for
    /// ([`Builder::opentelemetry_api`](crate::Builder::opentelemetry_api)).
    #[cfg(feature = "opentelemetry")]
    #[must_use]
    pub const fn opentelemetry(&self) -> Option<&throughline_otlp::sdk::OpenTelemetry> {
        self.sdk.as_ref()
    }

    /// What became of everything so far.
    #[must_use]
    pub fn report(&self) -> Report {
        Report {
            export: self.exporter.report(),
            logs: self.lines.as_ref().map(LogCounters::stats),
            propagation: self.pipeline.propagator().counters(),
            redaction: self.pipeline.redactor().counters(),
        }
    }

    /// Sends every finished span now; false when that took longer than `limit`.
    pub async fn flush(&self, limit: Duration) -> bool {
        self.exporter.flush(limit).await
    }

    /// Ends export and logging in an orderly way, within `deadline`, and reports what did not arrive.
    ///
    /// Waits without blocking the runtime. Spans that are still open are not exported: stop the server first.
    pub async fn shutdown(self, deadline: Duration) -> Report {
        let ends = Instant::now() + deadline;
        let export = self.exporter.shutdown(without_logs_share(deadline)).await;
        let logs = end_of_logs(self.writer, self.lines.as_ref(), ends);
        Report {
            export,
            logs,
            propagation: self.pipeline.propagator().counters(),
            redaction: self.pipeline.redactor().counters(),
        }
    }

    /// [`shutdown`](Self::shutdown) for programs without an async runtime; blocks the calling thread.
    pub fn shutdown_blocking(self, deadline: Duration) -> Report {
        let ends = Instant::now() + deadline;
        let export = self.exporter.shutdown_blocking(without_logs_share(deadline));
        let logs = end_of_logs(self.writer, self.lines.as_ref(), ends);
        Report {
            export,
            logs,
            propagation: self.pipeline.propagator().counters(),
            redaction: self.pipeline.redactor().counters(),
        }
    }
}

/// The export's share of the time: a Collector that does not answer must not cost the last lines, which say so.
fn without_logs_share(deadline: Duration) -> Duration {
    deadline - (deadline / 10).min(LOGS_SHARE_MAX)
}

/// What is kept back at most for writing out lines.
const LOGS_SHARE_MAX: Duration = Duration::from_millis(500);

/// Writing out what is left takes as long as its file or pipe does, which is why the time is bounded.
fn end_of_logs(writer: Option<WriterGuard>, lines: Option<&LogCounters>, ends: Instant) -> Option<LogStats> {
    if let Some(writer) = writer {
        writer.shutdown(ends.saturating_duration_since(Instant::now()));
    }
    lines.map(LogCounters::stats)
}

/// What became of everything that was recorded.
#[derive(Clone, Debug)]
pub struct Report {
    export: throughline_otlp::Report,
    logs: Option<LogStats>,
    propagation: PropagationCounters,
    redaction: RedactionCounters,
}

impl Report {
    /// What became of spans and metrics.
    #[must_use]
    pub const fn export(&self) -> &throughline_otlp::Report {
        &self.export
    }

    /// What became of log lines; `None` where none are written.
    #[must_use]
    pub const fn logs(&self) -> Option<&LogStats> {
        self.logs.as_ref()
    }

    /// What callers sent that was refused.
    #[must_use]
    pub const fn propagation(&self) -> &PropagationCounters {
        &self.propagation
    }

    /// What was kept out of lines, spans and the resource.
    #[must_use]
    pub const fn redaction(&self) -> &RedactionCounters {
        &self.redaction
    }

    /// How many spans and log lines did not arrive.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.export.lost() + self.logs.as_ref().map_or(0, LogStats::lost)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.export)?;
        if let Some(logs) = &self.logs {
            write!(f, "; log lines: {} written, {} lost", logs.written(), logs.lost())?;
            if logs.suppressed() > 0 {
                write!(f, ", {} suppressed as repeated", logs.suppressed())?;
            }
        }
        if self.redaction.total() > 0 {
            write!(f, "; {} values redacted", self.redaction.total())?;
        }
        Ok(())
    }
}
