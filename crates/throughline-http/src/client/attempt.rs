//! One attempt on the client's side, from the first byte to the last.

use std::{fmt, mem};

use http::{HeaderMap, Method, StatusCode, Uri, Version, header};
use throughline_core::{
    Context, Metric, Pipeline, SpanExt, SpanRecord, Status,
    redact::Redactor,
    semconv::{error, http as names, own},
};
use tracing::Span;

use super::Propagation;
use crate::{
    attributes::{self, Labels, TEXT_LEN_MAX, capped},
    flight::{End, Flight, InFlight},
};

/// How often a request has been sent before: put it into the extensions of a request that is sent again.
///
/// It becomes `http.request.resend_count`; zero, like absence, means the first attempt.
///
/// ```
/// # let mut request = http::Request::new(());
/// request.extensions_mut().insert(throughline_http::client::ResendCount(1));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ResendCount(pub u32);

/// Where a request goes.
pub(crate) struct Target {
    /// The absolute address, not yet free of secrets.
    pub(crate) url: Option<String>,
    pub(crate) host: Option<String>,
    pub(crate) port: Option<u16>,
}

impl Target {
    /// From the address of a request, or from its `Host` where the address is a mere path.
    pub(crate) fn of(uri: &Uri, headers: &HeaderMap) -> Self {
        let scheme = uri.scheme().and_then(attributes::scheme);
        if let Some(authority) = uri.authority() {
            let (host, port) = attributes::host_and_port(authority.as_str()).unzip();
            return Self::new(Some(uri.to_string()), host, port.flatten(), scheme);
        }
        let Some(authority) = attributes::header_text(headers, &header::HOST) else {
            return Self::new(None, None, None, scheme);
        };
        // A connection that is handed a path alone doesn't say whether it is encrypted.
        let (host, port) = attributes::host_and_port(authority).unzip();
        Self::new(Some(format!("http://{authority}{uri}")), host, port.flatten(), Some("http"))
    }

    fn new(url: Option<String>, host: Option<&str>, port: Option<u16>, scheme: Option<&'static str>) -> Self {
        let port = port.or_else(|| attributes::default_port(scheme?));
        Self { url, host: host.map(str::to_owned), port }
    }
}

impl fmt::Debug for Target {
    /// Shows no address in full: it may hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Target").field("host", &self.host).field("port", &self.port).finish_non_exhaustive()
    }
}

/// A request that was sent and not answered in full yet. Dropped before it has ended, its caller lost interest.
#[derive(Debug)]
pub(crate) struct Attempt {
    flight: Flight,
    method: &'static str,
    target: Target,
    version: Option<&'static str>,
    status: Option<StatusCode>,
    finished: bool,
}

impl Attempt {
    /// Opens the span, puts its ids into `headers`, and counts the request in.
    pub(crate) fn open(
        propagation: &Propagation,
        method: &Method,
        target: Target,
        headers: &mut HeaderMap,
        resends: ResendCount,
    ) -> Self {
        let pipeline = Pipeline::current();
        let outside = Context::current();
        let span = open_span(attributes::method(method), &target, pipeline.redactor());
        let mut recorded = false;
        span.edit(|record| {
            describe(record, method, resends);
            recorded = true;
        });
        propagation.inject(pipeline.propagator(), &span.context(), target.host.as_deref(), headers);
        let attempt = Self {
            flight: Flight::new(span, recorded, &outside, pipeline),
            method: attributes::method(method),
            target,
            version: None,
            status: None,
            finished: false,
        };
        attempt.count_active(1.0);
        attempt
    }

    /// The head of the response is there, and maybe it is known over which version it came.
    pub(crate) fn answered(&mut self, status: StatusCode, version: Option<Version>) {
        self.status = Some(status);
        self.version = version.and_then(attributes::protocol_version);
    }

    fn count_active(&self, by: f64) {
        let pipeline = &self.flight.pipeline;
        if pipeline.has_recorder() {
            let labels = self.address(Labels::new().with(names::HTTP_REQUEST_METHOD, Some(self.method)));
            pipeline.record(Metric::HttpClientActiveRequests, by, labels.as_slice());
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
            record.attribute(names::HTTP_RESPONSE_STATUS_CODE, status.as_u16().into());
        }
        if let Some(version) = self.version {
            record.attribute(names::NETWORK_PROTOCOL_VERSION, version.into());
        }
        if let Some(kind) = self.error_type(end) {
            record.attribute(error::ERROR_TYPE, kind.into());
            record.status(Status::Error(""));
        }
        record.attribute(own::HTTP_END, end.as_str().into());
    }

    fn measure(&self, end: End) {
        let labels = self
            .address(Labels::new().with(names::HTTP_REQUEST_METHOD, Some(self.method)))
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

    fn finish(&mut self, end: End) {
        if mem::replace(&mut self.finished, true) {
            return;
        }
        self.flight.span.edit(|record| self.conclude(record, end));
        self.count_active(-1.0);
        if self.flight.pipeline.has_recorder() {
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
fn open_span(method: &'static str, target: &Target, redactor: &Redactor) -> Span {
    let url = target.url.as_deref().map(|url| redactor.url(url));
    tracing::info_span!(
        target: "throughline::http",
        "request",
        otel.name = attributes::method_in_name(method),
        otel.kind = "client",
        { names::HTTP_REQUEST_METHOD } = method,
        { names::SERVER_ADDRESS } = target.host,
        { names::SERVER_PORT } = target.port,
        { names::URL_FULL } = url.as_deref().map(|url| capped(url, TEXT_LEN_MAX)),
    )
}

/// What is known of an attempt when it begins and has no place on a log line.
fn describe(record: &mut dyn SpanRecord, method: &Method, resends: ResendCount) {
    if let Some(original) = attributes::method_original(method) {
        record.attribute(names::HTTP_REQUEST_METHOD_ORIGINAL, original.into());
    }
    if resends.0 > 0 {
        record.attribute(names::HTTP_REQUEST_RESEND_COUNT, resends.0.into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_absolute() {
        for (uri, host, expected) in [
            ("http://a.test/p?q=1", None, (Some("http://a.test/p?q=1"), Some("a.test"), Some(80))),
            ("https://a.test:8443/", None, (Some("https://a.test:8443/"), Some("a.test"), Some(8443))),
            (
                "http://user:secret@a.test/",
                None,
                (Some("http://user:secret@a.test/"), Some("a.test"), Some(80)),
            ),
            ("/p", Some("b.test:81"), (Some("http://b.test:81/p"), Some("b.test"), Some(81))),
            ("/p", None, (None, None, None)),
        ] {
            let mut headers = HeaderMap::new();
            if let Some(host) = host {
                headers.insert(header::HOST, host.parse().unwrap());
            }
            let target = Target::of(&uri.parse().unwrap(), &headers);
            assert_eq!((target.url.as_deref(), target.host.as_deref(), target.port), expected, "{uri}");
        }
    }
}
