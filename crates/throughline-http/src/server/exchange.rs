//! One request on the server's side, from the first byte to the last.

use std::{mem, sync::Arc};

use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, request::Parts};
use http_body::Body;
use throughline_core::{
    Context, CorrelationId, Metric, Pipeline, SpanExt, SpanRecord, Status,
    semconv::{error, http as names, own},
    with_remote,
};

use super::{
    Route, Streaming,
    arrival::{Arrival, open_span, peer_of, with_name},
    layer::Settings,
    server_timing,
    session::OpenSession,
    streaming::{self, Progress, Sending},
};
use crate::{
    Incoming,
    attributes::{self, Labels, announced_length},
    carrier::{HeaderCarrier, header_name},
    flight::{End, Flight, InFlight},
    method::MethodName,
};

/// A request that is being answered. Dropped before it has ended, its client is gone or its handler panicked.
#[derive(Debug)]
pub(crate) struct Exchange {
    flight: Flight,
    incoming: Context,
    method: MethodName,
    /// It asks for a head alone, whatever its method is called.
    is_head: bool,
    scheme: &'static str,
    version: Option<&'static str>,
    route: Option<Route>,
    /// Set where the response is asked for more than its status and its length.
    settings: Option<Arc<Settings>>,
    /// The request had no route: the response may have one.
    is_unrouted: bool,
    status: Option<StatusCode>,
    announced: Option<u64>,
    sent: u64,
    /// Set where the response is an event stream.
    stream: Option<Progress>,
    finished: bool,
}

impl Exchange {
    /// Reads the caller's headers, opens the span below the caller's, and counts the request in.
    pub(super) fn open(settings: &Arc<Settings>, request: &mut Parts) -> Self {
        let pipeline = Pipeline::current();
        let route = settings.route_name.route(request);
        let edge = settings.edge.policy(&Incoming::new(request, route.as_ref().map(Route::as_str), peer_of));
        let incoming = pipeline.propagator().extract(&HeaderCarrier::new(&mut request.headers), &edge);
        if settings.skip.as_ref().is_some_and(|skip| skip.skips(request)) {
            return Self::skipped(incoming, pipeline, request);
        }
        let known_methods = settings.known_methods.as_ref().or_else(|| pipeline.known_methods());
        let method = MethodName::of(&request.method, known_methods);
        let arrival = Arrival::of(settings, request);

        let span = with_remote(&incoming, || open_span(&method, route.as_ref(), &request.uri));
        let mut recorded = false;
        span.edit(|record| {
            arrival.describe(record, &method, pipeline.redactor());
            recorded = true;
        });
        let mut flight = Flight::new(span, recorded, &incoming, pipeline);
        if settings.of_response.time_to_first_byte {
            flight.start_clock();
        }
        let scheme = arrival.scheme;
        let mut exchange = Self::begun(flight, incoming, method, scheme);
        exchange.is_head = request.method == Method::HEAD;
        exchange.version = attributes::protocol_version(request.version);
        exchange.settings = settings.looks_at_responses(route.as_ref()).then(|| Arc::clone(settings));
        exchange.is_unrouted = route.is_none();
        exchange.route = route;
        exchange.count_active(1.0);
        exchange
    }

    /// A request that runs in its caller's context, and of which nothing is recorded.
    fn skipped(incoming: Context, pipeline: Pipeline, request: &Parts) -> Self {
        let method = MethodName::of(&request.method, None);
        let mut exchange = Self::begun(Flight::unseen(&incoming, pipeline), incoming, method, "");
        exchange.is_head = request.method == Method::HEAD;
        exchange
    }

    fn begun(flight: Flight, incoming: Context, method: MethodName, scheme: &'static str) -> Self {
        Self {
            flight,
            incoming,
            method,
            is_head: false,
            scheme,
            version: None,
            route: None,
            settings: None,
            is_unrouted: false,
            status: None,
            announced: None,
            sent: 0,
            stream: None,
            finished: false,
        }
    }

    /// The head of the response is there: takes notice of its status and gives the caller its correlation id.
    pub(super) fn respond<B: Body>(&mut self, response: &mut Response<B>) {
        self.status = Some(response.status());
        if response.body().size_hint().exact().is_none() {
            self.announced = announced_length(response.headers());
            self.stream = streaming::is_event_stream(response.headers()).then(Progress::default);
        }
        if let Some(settings) = self.settings.clone() {
            if self.is_unrouted {
                self.route = settings.route_name.route_of_response(response.extensions());
            }
            self.answer(&settings, response.headers_mut());
        }
        let header = header_name(self.flight.pipeline.propagator().correlation_header_name());
        let id = self.incoming.correlation_id().map(CorrelationId::as_str).map(HeaderValue::from_str);
        if let (Some(header), Some(Ok(id))) = (header, id) {
            response.headers_mut().insert(header, id);
        }
    }

    /// What somebody asked for beyond the usual.
    fn answer(&self, settings: &Settings, headers: &mut HeaderMap) {
        let wanted = &settings.of_response;
        if wanted.time_to_first_byte || !wanted.headers.is_empty() {
            self.flight.span.edit(|record| {
                if wanted.time_to_first_byte {
                    let elapsed_ms = self.flight.seconds() * 1e3;
                    record.attribute_static(own::HTTP_TIME_TO_FIRST_BYTE_MS, elapsed_ms.into());
                }
                let redactor = self.flight.pipeline.redactor();
                wanted.headers.record(headers, record, redactor, &settings.counts);
            });
        }
        if wanted.server_timing && self.flight.span.has_context() {
            server_timing::add(headers, &self.flight.span.context());
        }
    }

    /// Whether any byte of the response's body will be asked for.
    pub(super) fn sends_a_body(&self) -> bool {
        let bodiless = self.status.is_some_and(|status| {
            status.is_informational()
                || status == StatusCode::NO_CONTENT
                || status == StatusCode::NOT_MODIFIED
        });
        !self.is_head && !bodiless
    }

    /// The length that the response's headers announce.
    pub(super) const fn announced(&self) -> Option<u64> {
        self.announced
    }

    /// What the response's body is sent under: this request, or the session of a stream that goes on without it.
    pub(super) fn sending(mut self: Box<Self>) -> Sending {
        let ends_now = |settings: &Arc<Settings>| settings.of_response.streaming == Streaming::Handshake;
        if self.stream.is_none() || !self.settings.as_ref().is_some_and(ends_now) {
            return Sending::Request(self);
        }
        // What passes from now on is no longer this request's to count.
        (self.stream, self.settings) = (None, None);
        self.finish(End::Complete);
        let request = self.flight.context(&self.incoming);
        let stream = with_name(&self.method, self.route.as_ref(), |name| OpenSession::stream(&request, name));
        Sending::Stream(Box::new(stream))
    }

    fn count_active(&self, by: f64) {
        if self.flight.is_measured() {
            let labels = [
                (names::HTTP_REQUEST_METHOD, self.method.as_str().into()),
                (names::URL_SCHEME, self.scheme.into()),
            ];
            self.flight.pipeline.record(Metric::HttpServerActiveRequests, by, &labels);
        }
    }

    /// The same value for the span and for the metric.
    fn error_type(&self, end: End) -> Option<&str> {
        let of_status =
            self.status.as_ref().filter(|status| status.is_server_error()).map(StatusCode::as_str);
        match end {
            // That is how such a stream ends.
            End::ClientGone if self.stream.is_some() => of_status,
            End::Complete | End::ClientGone | End::Cancelled => of_status.or_else(|| end.error_type()),
            End::Failed(_) | End::Panicked => end.error_type(),
        }
    }

    fn conclude(&self, record: &mut dyn SpanRecord, end: End) {
        if let Some(status) = self.status {
            record.attribute_static(names::HTTP_RESPONSE_STATUS_CODE, status.as_u16().into());
        }
        if let (Some(route), true) = (&self.route, self.is_unrouted) {
            record.attribute_static(names::HTTP_ROUTE, route.as_str().into());
            with_name(&self.method, Some(route), |name| record.name(name));
        }
        if self.settings.as_ref().is_some_and(|settings| settings.of_response.body_sizes) {
            record.attribute_static(names::HTTP_RESPONSE_BODY_SIZE, self.sent.into());
        }
        if let Some(stream) = self.stream {
            record.attribute_static(own::HTTP_MESSAGES, stream.messages().into());
        }
        if let Some(kind) = self.error_type(end) {
            record.attribute_static(error::ERROR_TYPE, kind.into());
            record.status(Status::Error(""));
        }
        record.attribute_static(own::HTTP_END, end.as_str().into());
    }

    fn measure(&self, end: End) {
        let labels = Labels::new()
            .with(names::HTTP_REQUEST_METHOD, Some(self.method.as_str()))
            .with(names::URL_SCHEME, Some(self.scheme))
            .with(names::HTTP_ROUTE, self.route.as_ref().map(Route::as_str))
            .with(names::HTTP_RESPONSE_STATUS_CODE, self.status.map(|status| status.as_u16()))
            .with(names::NETWORK_PROTOCOL_VERSION, self.version)
            .with(error::ERROR_TYPE, self.error_type(end));
        self.flight.pipeline.record(
            Metric::HttpServerRequestDuration,
            self.flight.seconds(),
            labels.as_slice(),
        );
    }
}

impl InFlight for Exchange {
    fn flight(&mut self) -> &mut Flight {
        &mut self.flight
    }

    fn passed(&mut self, bytes: u64) {
        self.sent += bytes;
        if let Some(stream) = &mut self.stream {
            stream.pass(bytes);
            stream.report(&self.flight.span);
        }
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

impl Drop for Exchange {
    fn drop(&mut self) {
        self.finish(if self.flight.panicked() { End::Panicked } else { End::ClientGone });
    }
}
