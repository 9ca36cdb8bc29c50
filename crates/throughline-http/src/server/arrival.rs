//! A request as it arrives, in the terms of the semantic conventions.

use std::net::SocketAddr;

use http::{Uri, header, request::Parts};
use throughline_core::{SpanRecord, redact::Redactor, semconv::http as names};
use tracing::Span;

use super::{Route, forwarded::Origin, layer::Settings};
use crate::{
    attributes::{self, TEXT_LEN_MAX, capped},
    counters::count,
    method::MethodName,
};

/// What is known of a request before its handler runs.
pub(super) struct Arrival<'a> {
    settings: &'a Settings,
    request: &'a Parts,
    peer: Option<SocketAddr>,
    origin: Origin,
    pub(super) scheme: &'static str,
}

impl<'a> Arrival<'a> {
    pub(super) fn of(settings: &'a Settings, request: &'a Parts) -> Self {
        let peer = peer_of(request);
        let origin = match peer {
            Some(peer) if !settings.trusted_proxies.is_empty() => {
                Origin::of(&request.headers, peer, &settings.trusted_proxies)
            }
            _ => Origin::default(),
        };
        if origin.is_invalid {
            count(&settings.counts.forwarded_invalid);
        }
        let of_uri = || request.uri.scheme().and_then(attributes::scheme);
        let scheme = origin.scheme.or_else(of_uri).unwrap_or(settings.scheme);
        Self { settings, request, peer, origin, scheme }
    }

    /// What has no place on a log line.
    pub(super) fn describe(&self, record: &mut dyn SpanRecord, method: &MethodName, redactor: &Redactor) {
        let request = self.request;
        record.attribute_static(names::URL_SCHEME, self.scheme.into());
        if let Some(original) = method.original(&request.method) {
            record.attribute_static(names::HTTP_REQUEST_METHOD_ORIGINAL, original.into());
        }
        if let Some(query) = request.uri.query().filter(|query| !query.is_empty()) {
            record.attribute_static(names::URL_QUERY, capped(&redactor.query(query), TEXT_LEN_MAX).into());
        }
        self.describe_ends(record);
        if let Some(agent) = attributes::header_text(&request.headers, &header::USER_AGENT) {
            record.attribute_static(names::USER_AGENT_ORIGINAL, agent.into());
        }
        if let Some(version) = attributes::protocol_version(request.version) {
            record.attribute_static(names::NETWORK_PROTOCOL_VERSION, version.into());
        }
        if self.settings.of_response.body_sizes
            && let Some(bytes) = attributes::announced_length(&request.headers)
        {
            record.attribute_static(names::HTTP_REQUEST_BODY_SIZE, bytes.into());
        }
        self.settings.request_headers.record(&request.headers, record, redactor, &self.settings.counts);
    }

    /// Which server was asked, and by whom.
    fn describe_ends(&self, record: &mut dyn SpanRecord) {
        let authority = match (&self.origin.host, self.request.uri.authority()) {
            (Some(host), _) => Some(host.as_str()),
            (None, Some(authority)) => Some(authority.as_str()),
            (None, None) => attributes::header_text(&self.request.headers, &header::HOST),
        };
        if let Some((host, port)) = authority.and_then(attributes::host_and_port) {
            record.attribute_static(names::SERVER_ADDRESS, host.into());
            if let Some(port) = port.or_else(|| attributes::default_port(self.scheme)) {
                record.attribute_static(names::SERVER_PORT, port.into());
            }
        }
        let Some(peer) = self.peer else { return };
        attributes::with_address(peer.ip(), |address| {
            if self.origin.client.is_none() {
                record.attribute_static(names::CLIENT_ADDRESS, address.into());
            }
            record.attribute_static(names::NETWORK_PEER_ADDRESS, address.into());
        });
        record.attribute_static(names::NETWORK_PEER_PORT, peer.port().into());
        if let Some(client) = self.origin.client {
            attributes::with_address(client, |address| {
                record.attribute_static(names::CLIENT_ADDRESS, address.into())
            });
        }
    }
}

/// Opens the span with what log lines are to show; the rest goes straight to the record.
pub(super) fn open_span(method: &MethodName, route: Option<&Route>, uri: &Uri) -> Span {
    // `CONNECT` has no path.
    let path = Some(uri.path()).filter(|path| !path.is_empty());
    with_name(method, route, |name| {
        tracing::info_span!(
            target: "throughline::http",
            "request",
            otel.name = name,
            otel.kind = "server",
            { names::HTTP_REQUEST_METHOD } = method.as_str(),
            { names::HTTP_ROUTE } = route.map(Route::as_str),
            { names::URL_PATH } = path.map(|path| capped(path, TEXT_LEN_MAX)),
        )
    })
}

/// Runs `work` with the name of the span: `{method} {route}`, or `{method}` alone.
pub(super) fn with_name<T>(method: &MethodName, route: Option<&Route>, work: impl FnOnce(&str) -> T) -> T {
    let method = method.in_span_name();
    let Some(route) = route else { return work(method) };
    attributes::with_scratch(|name| {
        name.push_str(method);
        name.push(' ');
        name.push_str(route.as_str());
        work(name)
    })
}

/// The address at the other end of the connection, where the server says so.
pub(super) fn peer_of(request: &Parts) -> Option<SocketAddr> {
    #[cfg(feature = "axum")]
    if let Some(peer) = request.extensions.get::<axum::extract::ConnectInfo<SocketAddr>>() {
        return Some(peer.0);
    }
    request.extensions.get::<SocketAddr>().copied()
}
