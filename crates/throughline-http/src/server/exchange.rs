//! One request on the server's side, from the first byte to the last.

use std::{mem, net::SocketAddr, sync::Arc};

use http::{HeaderValue, Method, Response, StatusCode, Uri, header, request::Parts};
use http_body::Body;
use throughline_core::{
    Context, CorrelationId, Metric, Pipeline, SpanExt, SpanRecord, Status,
    redact::Redactor,
    semconv::{error, http as names, own},
    with_remote,
};
use tracing::Span;

use super::{Route, layer::Settings};
use crate::{
    attributes::{self, Labels, TEXT_LEN_MAX, capped},
    carrier::{HeaderCarrier, header_name},
    flight::{End, Flight, InFlight},
};

/// A request that is being answered. Dropped before it has ended, its client is gone or its handler panicked.
#[derive(Debug)]
pub(crate) struct Exchange {
    flight: Flight,
    incoming: Context,
    method: &'static str,
    scheme: &'static str,
    version: Option<&'static str>,
    route: Option<Route>,
    /// Set where the request had no route: the response may have one.
    unrouted: Option<Arc<Settings>>,
    status: Option<StatusCode>,
    announced: Option<u64>,
    finished: bool,
}

impl Exchange {
    /// Reads the caller's headers, opens the span below the caller's, and counts the request in.
    pub(super) fn open(settings: &Arc<Settings>, request: &mut Parts) -> Self {
        let pipeline = Pipeline::current();
        let incoming =
            pipeline.propagator().extract(&HeaderCarrier::new(&mut request.headers), &settings.edge);
        let method = attributes::method(&request.method);
        let scheme = request.uri.scheme().and_then(attributes::scheme).unwrap_or(settings.scheme);
        let route = settings.route_name.route(request);

        let span = with_remote(&incoming, || open_span(method, route.as_ref(), &request.uri));
        let mut recorded = false;
        span.edit(|record| {
            describe(record, request, scheme, pipeline.redactor());
            recorded = true;
        });
        let exchange = Self {
            flight: Flight::new(span, recorded, &incoming, pipeline),
            incoming,
            method,
            scheme,
            version: attributes::protocol_version(request.version),
            unrouted: route.is_none().then(|| Arc::clone(settings)),
            route,
            status: None,
            announced: None,
            finished: false,
        };
        exchange.count_active(1.0);
        exchange
    }

    /// The head of the response is there: takes notice of its status and gives the caller its correlation id.
    pub(super) fn respond<B: Body>(&mut self, response: &mut Response<B>) {
        self.status = Some(response.status());
        if response.body().size_hint().exact().is_none() {
            self.announced = response.headers().get(header::CONTENT_LENGTH).and_then(as_length);
        }
        if let Some(settings) = &self.unrouted {
            self.route = settings.route_name.route_of_response(response.extensions());
        }
        let header = header_name(self.flight.pipeline.propagator().correlation_header_name());
        let id = self.incoming.correlation_id().map(CorrelationId::as_str).map(HeaderValue::from_str);
        if let (Some(header), Some(Ok(id))) = (header, id) {
            response.headers_mut().insert(header, id);
        }
    }

    /// Whether any byte of the response's body will be asked for.
    pub(super) fn sends_a_body(&self) -> bool {
        let bodiless = self.status.is_some_and(|status| {
            status.is_informational()
                || status == StatusCode::NO_CONTENT
                || status == StatusCode::NOT_MODIFIED
        });
        self.method != Method::HEAD.as_str() && !bodiless
    }

    /// The length that the response's headers announce.
    pub(super) const fn announced(&self) -> Option<u64> {
        self.announced
    }

    fn count_active(&self, by: f64) {
        let pipeline = &self.flight.pipeline;
        if pipeline.has_recorder() {
            let labels =
                [(names::HTTP_REQUEST_METHOD, self.method.into()), (names::URL_SCHEME, self.scheme.into())];
            pipeline.record(Metric::HttpServerActiveRequests, by, &labels);
        }
    }

    /// The same value for the span and for the metric.
    fn error_type(&self, end: End) -> Option<&str> {
        let of_status =
            self.status.as_ref().filter(|status| status.is_server_error()).map(StatusCode::as_str);
        match end {
            End::Complete | End::ClientGone | End::Cancelled => of_status.or_else(|| end.error_type()),
            End::Failed(_) | End::Panicked => end.error_type(),
        }
    }

    fn conclude(&self, record: &mut dyn SpanRecord, end: End) {
        if let Some(status) = self.status {
            record.attribute(names::HTTP_RESPONSE_STATUS_CODE, status.as_u16().into());
        }
        if let (Some(route), Some(_)) = (&self.route, &self.unrouted) {
            record.attribute(names::HTTP_ROUTE, route.as_str().into());
            with_name(self.method, Some(route), |name| record.name(name));
        }
        if let Some(kind) = self.error_type(end) {
            record.attribute(error::ERROR_TYPE, kind.into());
            record.status(Status::Error(""));
        }
        record.attribute(own::HTTP_END, end.as_str().into());
    }

    fn measure(&self, end: End) {
        let labels = Labels::new()
            .with(names::HTTP_REQUEST_METHOD, Some(self.method))
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

impl Drop for Exchange {
    fn drop(&mut self) {
        self.finish(if self.flight.panicked() { End::Panicked } else { End::ClientGone });
    }
}

/// Opens the span with what log lines are to show; the rest goes straight to the record.
fn open_span(method: &'static str, route: Option<&Route>, uri: &Uri) -> Span {
    // `CONNECT` has no path.
    let path = Some(uri.path()).filter(|path| !path.is_empty());
    with_name(method, route, |name| {
        tracing::info_span!(
            target: "throughline::http",
            "request",
            otel.name = name,
            otel.kind = "server",
            { names::HTTP_REQUEST_METHOD } = method,
            { names::HTTP_ROUTE } = route.map(Route::as_str),
            { names::URL_PATH } = path.map(|path| capped(path, TEXT_LEN_MAX)),
        )
    })
}

/// Runs `work` with the name of the span: `{method} {route}`, or `{method}` alone.
fn with_name<T>(method: &'static str, route: Option<&Route>, work: impl FnOnce(&str) -> T) -> T {
    let method = attributes::method_in_name(method);
    let Some(route) = route else { return work(method) };
    attributes::with_scratch(|name| {
        name.push_str(method);
        name.push(' ');
        name.push_str(route.as_str());
        work(name)
    })
}

/// What is known of a request when it arrives and has no place on a log line.
fn describe(record: &mut dyn SpanRecord, request: &Parts, scheme: &'static str, redactor: &Redactor) {
    record.attribute(names::URL_SCHEME, scheme.into());
    if let Some(original) = attributes::method_original(&request.method) {
        record.attribute(names::HTTP_REQUEST_METHOD_ORIGINAL, original.into());
    }
    if let Some(query) = request.uri.query().filter(|query| !query.is_empty()) {
        record.attribute(names::URL_QUERY, capped(&redactor.query(query), TEXT_LEN_MAX).into());
    }
    let authority = match request.uri.authority() {
        Some(authority) => Some(authority.as_str()),
        None => attributes::header_text(&request.headers, &header::HOST),
    };
    if let Some((host, port)) = authority.and_then(attributes::host_and_port) {
        record.attribute(names::SERVER_ADDRESS, host.into());
        if let Some(port) = port.or_else(|| attributes::default_port(scheme)) {
            record.attribute(names::SERVER_PORT, port.into());
        }
    }
    if let Some(peer) = peer_of(request) {
        attributes::with_address(peer.ip(), |address| {
            record.attribute(names::CLIENT_ADDRESS, address.into());
            record.attribute(names::NETWORK_PEER_ADDRESS, address.into());
        });
        record.attribute(names::NETWORK_PEER_PORT, peer.port().into());
    }
    if let Some(agent) = attributes::header_text(&request.headers, &header::USER_AGENT) {
        record.attribute(names::USER_AGENT_ORIGINAL, agent.into());
    }
    if let Some(version) = attributes::protocol_version(request.version) {
        record.attribute(names::NETWORK_PROTOCOL_VERSION, version.into());
    }
}

/// The address at the other end of the connection, where the server says so.
fn peer_of(request: &Parts) -> Option<SocketAddr> {
    #[cfg(feature = "axum")]
    if let Some(peer) = request.extensions.get::<axum::extract::ConnectInfo<SocketAddr>>() {
        return Some(peer.0);
    }
    request.extensions.get::<SocketAddr>().copied()
}

fn as_length(value: &HeaderValue) -> Option<u64> {
    value.to_str().ok()?.parse().ok()
}
