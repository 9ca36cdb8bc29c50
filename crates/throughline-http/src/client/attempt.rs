//! One attempt on the client's side, from the first byte to the last.

use std::{mem, sync::Arc};

use http::{HeaderMap, Method, StatusCode, Version};
use throughline_core::{
    Context, Metric, Pipeline, ResendCount, SpanExt, SpanRecord, Status, describe_call,
    redact::Redactor,
    semconv::{error, http as names, own},
};
use tracing::Span;

use super::{Target, layer::Settings};
use crate::{
    attributes::{self, Labels, TEXT_LEN_MAX, capped},
    flight::{End, Flight, InFlight},
    method::MethodName,
};

/// A request that was sent and not answered in full yet. Dropped before it has ended, its caller lost interest.
#[derive(Debug)]
pub(crate) struct Attempt {
    flight: Flight,
    method: MethodName,
    target: Target,
    /// Set where the response is asked for more than its status.
    settings: Option<Arc<Settings>>,
    version: Option<&'static str>,
    status: Option<StatusCode>,
    received: u64,
    finished: bool,
}

impl Attempt {
    /// Opens the span, puts its ids into `headers`, and counts the request in.
    pub(crate) fn open(
        settings: &Arc<Settings>,
        method: &Method,
        target: Target,
        headers: &mut HeaderMap,
        resends: ResendCount,
    ) -> Self {
        let pipeline = Pipeline::current();
        let outside = Context::current();
        let known_methods = settings.known_methods.as_ref().or_else(|| pipeline.known_methods());
        let name = MethodName::of(method, known_methods);
        let span = open_span(&name, &target, pipeline.redactor());
        let mut recorded = false;
        span.edit(|record| {
            describe(record, method, &name, resends);
            settings.describe(record, headers, pipeline.redactor());
            describe_call(record);
            recorded = true;
        });
        settings.inject(pipeline.propagator(), &span.context(), target.host.as_deref(), headers);
        let mut flight = Flight::new(span, recorded, &outside, pipeline);
        if settings.time_to_first_byte {
            flight.start_clock();
        }
        let attempt = Self {
            flight,
            method: name,
            target,
            settings: settings.looks_at_responses().then(|| Arc::clone(settings)),
            version: None,
            status: None,
            received: 0,
            finished: false,
        };
        attempt.count_active(1.0);
        attempt
    }

    /// The head of the response is there.
    pub(crate) fn answered(&mut self, status: StatusCode, version: Version, headers: &HeaderMap) {
        self.status = Some(status);
        self.version = attributes::protocol_version(version);
        let Some(settings) = &self.settings else { return };
        self.flight.span.edit(|record| {
            if settings.time_to_first_byte {
                record
                    .attribute_static(own::HTTP_TIME_TO_FIRST_BYTE_MS, (self.flight.seconds() * 1e3).into());
            }
            let redactor = self.flight.pipeline.redactor();
            settings.response_headers.record(headers, record, redactor, &settings.counts);
        });
    }

    /// A response of this status came, of which nothing else is known.
    #[cfg(feature = "reqwest")]
    pub(crate) fn refused(&mut self, status: StatusCode) {
        self.status = Some(status);
    }

    fn count_active(&self, by: f64) {
        if self.flight.is_measured() {
            let labels =
                self.address(Labels::new().with(names::HTTP_REQUEST_METHOD, Some(self.method.as_str())));
            self.flight.pipeline.record(Metric::HttpClientActiveRequests, by, labels.as_slice());
        }
    }

    fn address<'a>(&'a self, labels: Labels<'a>) -> Labels<'a> {
        labels
            .with(names::SERVER_ADDRESS, self.target.host.as_ref())
            .with(names::SERVER_PORT, self.target.port)
    }

    /// The same value for the span and for the metric.
    fn error_type(&self, end: End) -> Option<&str> {
        let of_status = self.status.as_ref().filter(|status| is_failure(**status)).map(StatusCode::as_str);
        match end {
            End::Complete | End::Cancelled | End::ClientGone => of_status,
            End::Failed(_) | End::Panicked => end.error_type(),
        }
    }

    fn conclude(&self, record: &mut dyn SpanRecord, end: End) {
        if let Some(status) = self.status {
            record.attribute_static(names::HTTP_RESPONSE_STATUS_CODE, status.as_u16().into());
        }
        if let Some(version) = self.version {
            record.attribute_static(names::NETWORK_PROTOCOL_VERSION, version.into());
        }
        if self.status.is_some() && self.settings.as_ref().is_some_and(|settings| settings.body_sizes) {
            record.attribute_static(names::HTTP_RESPONSE_BODY_SIZE, self.received.into());
        }
        if let Some(kind) = self.error_type(end) {
            record.attribute_static(error::ERROR_TYPE, kind.into());
            record.status(Status::Error(""));
        }
        record.attribute_static(own::HTTP_END, end.as_str().into());
    }

    fn measure(&self, end: End) {
        let labels = self
            .address(Labels::new().with(names::HTTP_REQUEST_METHOD, Some(self.method.as_str())))
            .with(names::HTTP_RESPONSE_STATUS_CODE, self.status.map(|status| status.as_u16()))
            .with(names::NETWORK_PROTOCOL_VERSION, self.version)
            .with(error::ERROR_TYPE, self.error_type(end));
        self.flight.pipeline.record(
            Metric::HttpClientRequestDuration,
            self.flight.seconds(),
            labels.as_slice(),
        );
    }
}

impl InFlight for Attempt {
    fn flight(&mut self) -> &mut Flight {
        &mut self.flight
    }

    fn passed(&mut self, bytes: u64) {
        self.received += bytes;
    }

    fn finish(&mut self, end: End) {
        if mem::replace(&mut self.finished, true) {
            return;
        }
        self.flight.span.edit(|record| self.conclude(record, end));
        self.count_active(-1.0);
        if self.flight.is_measured() {
            self.measure(end);
        }
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        self.finish(if self.flight.panicked() { End::Panicked } else { End::Cancelled });
    }
}

/// A client holds 4xx against itself, too.
fn is_failure(status: StatusCode) -> bool {
    status.is_client_error() || status.is_server_error()
}

/// Opens the span with what a sampler may look at.
fn open_span(method: &MethodName, target: &Target, redactor: &Redactor) -> Span {
    let url = target.url.as_deref().map(|url| redactor.url(url));
    tracing::info_span!(
        target: "throughline::http",
        "request",
        otel.name = method.in_span_name(),
        otel.kind = "client",
        { names::HTTP_REQUEST_METHOD } = method.as_str(),
        { names::SERVER_ADDRESS } = target.host,
        { names::SERVER_PORT } = target.port,
        { names::URL_FULL } = url.as_deref().map(|url| capped(url, TEXT_LEN_MAX)),
    )
}

/// What is known of an attempt when it begins and has no place on a log line.
fn describe(record: &mut dyn SpanRecord, method: &Method, name: &MethodName, resends: ResendCount) {
    if let Some(original) = name.original(method) {
        record.attribute_static(names::HTTP_REQUEST_METHOD_ORIGINAL, original.into());
    }
    if resends.0 > 0 {
        record.attribute_static(names::HTTP_REQUEST_RESEND_COUNT, resends.0.into());
    }
}
