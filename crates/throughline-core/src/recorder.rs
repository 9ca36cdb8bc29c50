//! Metrics, as the hops see them.

use crate::Value;

/// Takes measurements from the hops.
///
/// The core knows no metrics library: `throughline-otlp` implements this over the OpenTelemetry SDK, a test can count.
/// Called on the request's path: an implementation must neither block nor panic.
pub trait Recorder: Send + Sync + 'static {
    /// Records one measurement: the value of a histogram, or what to add to a counter.
    fn record(&self, metric: Metric, value: f64, attributes: &[(&'static str, Value<'_>)]);
}

impl<F> Recorder for F
where
    F: Fn(Metric, f64, &[(&'static str, Value<'_>)]) + Send + Sync + 'static,
{
    fn record(&self, metric: Metric, value: f64, attributes: &[(&'static str, Value<'_>)]) {
        self(metric, value, attributes);
    }
}

/// The metrics that the hops record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Metric {
    /// `http.server.request.duration`
    HttpServerRequestDuration,
    /// `http.server.active_requests`
    HttpServerActiveRequests,
    /// `http.client.request.duration`
    HttpClientRequestDuration,
    /// `http.client.active_requests`
    HttpClientActiveRequests,
    /// `messaging.client.operation.duration`
    MessagingOperationDuration,
    /// `messaging.process.duration`
    MessagingProcessDuration,
    /// `messaging.client.sent.messages`
    MessagingSent,
    /// `messaging.client.consumed.messages`
    MessagingConsumed,
    /// `rpc.server.call.duration`
    RpcServerCallDuration,
    /// `rpc.client.call.duration`
    RpcClientCallDuration,
    /// `throughline.resilience.decisions`
    ResilienceDecisions,
    /// `throughline.outbox.relays`
    OutboxRelays,
    /// `throughline.outbox.queue_time`
    OutboxQueueTime,
    /// `throughline.inbox.messages`
    InboxMessages,
    /// `db.client.operation.duration`
    DbClientOperationDuration,
    /// `db.client.response.returned_rows`
    DbClientReturnedRows,
    /// `db.client.connection.wait_time`
    DbClientConnectionWaitTime,
    /// `db.client.connection.timeouts`
    DbClientConnectionTimeouts,
    /// `db.client.connection.pending_requests`
    DbClientConnectionPendingRequests,
}

/// How a metric is declared to a metrics library.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Instrument {
    /// Its name by the semantic conventions.
    pub name: &'static str,
    /// Its unit in UCUM.
    pub unit: &'static str,
    /// One sentence for people.
    pub description: &'static str,
    /// What kind of instrument it is.
    pub kind: InstrumentKind,
}

/// The kinds of instruments in use.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum InstrumentKind {
    /// A histogram with these bucket bounds.
    Histogram(&'static [f64]),
    /// A sum that only grows.
    Counter,
    /// A sum that can shrink.
    UpDownCounter,
}

/// Bucket bounds of request and message durations, in seconds (semantic conventions, HTTP and messaging metrics).
pub const DURATION_BUCKETS: &[f64] =
    &[0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0];

/// Bucket bounds of the time in an outbox, in seconds: from at once to an outage of hours.
const QUEUE_TIME_BUCKETS: &[f64] =
    &[0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3_600.0, 14_400.0];

/// Bucket bounds of database operations and of the wait for a connection, in seconds (semantic conventions, database
/// metrics).
const DATABASE_BUCKETS: &[f64] = &[0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0];

/// Bucket bounds of returned rows (semantic conventions, database metrics).
const ROW_BUCKETS: &[f64] =
    &[1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1_000.0, 2_000.0, 5_000.0, 10_000.0];

impl Metric {
    /// Every metric, in declaration order: `metric as usize` is its place.
    pub const ALL: [Self; 19] = [
        Self::HttpServerRequestDuration,
        Self::HttpServerActiveRequests,
        Self::HttpClientRequestDuration,
        Self::HttpClientActiveRequests,
        Self::MessagingOperationDuration,
        Self::MessagingProcessDuration,
        Self::MessagingSent,
        Self::MessagingConsumed,
        Self::RpcServerCallDuration,
        Self::RpcClientCallDuration,
        Self::ResilienceDecisions,
        Self::OutboxRelays,
        Self::OutboxQueueTime,
        Self::InboxMessages,
        Self::DbClientOperationDuration,
        Self::DbClientReturnedRows,
        Self::DbClientConnectionWaitTime,
        Self::DbClientConnectionTimeouts,
        Self::DbClientConnectionPendingRequests,
    ];

    /// The instrument behind this metric.
    #[must_use]
    pub const fn instrument(self) -> Instrument {
        match self {
            Self::HttpServerRequestDuration => {
                seconds("http.server.request.duration", "Duration of HTTP server requests.")
            }
            Self::HttpServerActiveRequests => {
                requests("http.server.active_requests", "Number of active HTTP server requests.")
            }
            Self::HttpClientRequestDuration => {
                seconds("http.client.request.duration", "Duration of HTTP client requests.")
            }
            Self::HttpClientActiveRequests => {
                requests("http.client.active_requests", "Number of active HTTP client requests.")
            }
            Self::MessagingOperationDuration => {
                seconds("messaging.client.operation.duration", "Duration of messaging operations.")
            }
            Self::MessagingProcessDuration => {
                seconds("messaging.process.duration", "Duration of processing a message.")
            }
            Self::MessagingSent => {
                messages("messaging.client.sent.messages", "Number of messages that were sent.")
            }
            Self::MessagingConsumed => {
                messages("messaging.client.consumed.messages", "Number of messages that were delivered.")
            }
            Self::RpcServerCallDuration => {
                seconds("rpc.server.call.duration", "Duration of an incoming remote procedure call.")
            }
            Self::RpcClientCallDuration => {
                seconds("rpc.client.call.duration", "Duration of an outgoing remote procedure call.")
            }
            Self::ResilienceDecisions => Instrument {
                name: "throughline.resilience.decisions",
                unit: "{decision}",
                description: "Number of decisions of breakers, balancers, retries, time limits, fallbacks and caches.",
                kind: InstrumentKind::Counter,
            },
            Self::OutboxRelays => Instrument {
                name: "throughline.outbox.relays",
                unit: "{attempt}",
                description: "Number of attempts to relay an event from an outbox.",
                kind: InstrumentKind::Counter,
            },
            Self::OutboxQueueTime => Instrument {
                name: "throughline.outbox.queue_time",
                unit: "s",
                description: "How long an event waited in an outbox until it was relayed.",
                kind: InstrumentKind::Histogram(QUEUE_TIME_BUCKETS),
            },
            Self::InboxMessages => {
                messages("throughline.inbox.messages", "Number of messages that were shown to an inbox.")
            }
            Self::DbClientOperationDuration => Instrument {
                name: "db.client.operation.duration",
                unit: "s",
                description: "Duration of database client operations.",
                kind: InstrumentKind::Histogram(DATABASE_BUCKETS),
            },
            Self::DbClientReturnedRows => Instrument {
                name: "db.client.response.returned_rows",
                unit: "{row}",
                description: "The actual number of records returned by the database operation.",
                kind: InstrumentKind::Histogram(ROW_BUCKETS),
            },
            Self::DbClientConnectionWaitTime => Instrument {
                name: "db.client.connection.wait_time",
                unit: "s",
                description: "The time it took to obtain an open connection from the pool.",
                kind: InstrumentKind::Histogram(DATABASE_BUCKETS),
            },
            Self::DbClientConnectionTimeouts => Instrument {
                name: "db.client.connection.timeouts",
                unit: "{timeout}",
                description: "Number of connection timeouts while waiting for a connection of the pool.",
                kind: InstrumentKind::Counter,
            },
            Self::DbClientConnectionPendingRequests => requests(
                "db.client.connection.pending_requests",
                "Number of current pending requests for an open connection.",
            ),
        }
    }
}

const fn seconds(name: &'static str, description: &'static str) -> Instrument {
    Instrument { name, unit: "s", description, kind: InstrumentKind::Histogram(DURATION_BUCKETS) }
}

const fn requests(name: &'static str, description: &'static str) -> Instrument {
    Instrument { name, unit: "{request}", description, kind: InstrumentKind::UpDownCounter }
}

const fn messages(name: &'static str, description: &'static str) -> Instrument {
    Instrument { name, unit: "{message}", description, kind: InstrumentKind::Counter }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_metric_stands_at_its_own_place() {
        for (place, metric) in Metric::ALL.into_iter().enumerate() {
            assert_eq!(metric as usize, place, "{metric:?}");
        }
    }
}
