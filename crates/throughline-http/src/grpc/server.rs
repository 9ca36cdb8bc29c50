//! Calls that come in: extract, open the span, hand over, wrap.

use std::{
    net::SocketAddr,
    sync::Arc,
    task::{Context as TaskContext, Poll},
};

use http::{HeaderName, HeaderValue, Request, Response, header, request::Parts};
use http_body::Body;
use throughline_core::{
    Context, CorrelationId, EdgePolicy, Pipeline, SpanExt, SpanRecord,
    semconv::{http as net, rpc},
    with_remote,
};
use tonic::transport::server::TcpConnectInfo;
use tower_layer::Layer;
use tower_service::Service;
use tracing::Span;

use super::{
    ResponseBody, ResponseFuture, SYSTEM,
    call::{Call, Side},
    method::Method,
};
use crate::{
    Edge, Incoming, attributes,
    carrier::{HeaderCarrier, header_name},
    flight::{Flight, InFlight},
};

/// The layer that traces incoming calls; see [the module](mod@crate::grpc).
///
/// Goes onto tonic's `Server::builder()`, or around the routes of a router.
pub fn server() -> ServerLayer {
    ServerLayer::new()
}

/// Traces the calls of the service below it; see [the module](mod@crate::grpc).
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing until it is added to a service"]
pub struct ServerLayer {
    edge: Arc<dyn Edge>,
}

impl ServerLayer {
    /// Trusts the caller.
    pub fn new() -> Self {
        Self { edge: Arc::new(EdgePolicy::default()) }
    }

    /// What to believe of the caller's metadata: an [`EdgePolicy`], or a closure that chooses one by the call.
    ///
    /// The default is to trust it.
    pub fn edge(mut self, edge: impl Edge) -> Self {
        self.edge = Arc::new(edge);
        self
    }

    /// For an entrance that strangers use: [`EdgePolicy::edge`], a new trace that links to theirs, without their baggage.
    pub fn public(self) -> Self {
        self.edge(EdgePolicy::edge())
    }
}

impl Default for ServerLayer {
    fn default() -> Self {
        Self::new()
    }
}

impl<S> Layer<S> for ServerLayer {
    type Service = TracedServer<S>;

    fn layer(&self, inner: S) -> TracedServer<S> {
        TracedServer { inner, edge: Arc::clone(&self.edge) }
    }
}

/// A service whose calls are traced; see [the module](mod@crate::grpc).
#[derive(Clone, Debug)]
pub struct TracedServer<S> {
    inner: S,
    edge: Arc<dyn Edge>,
}

/// tonic's own, so that a router of services can still be served behind this.
impl<S: tonic::server::NamedService> tonic::server::NamedService for TracedServer<S> {
    const NAME: &'static str = S::NAME;
}

impl<S, B, ResB> Service<Request<B>> for TracedServer<S>
where
    S: Service<Request<B>, Response = Response<ResB>, Error: 'static>,
    ResB: Body<Error: 'static>,
{
    type Response = Response<ResponseBody<ResB>>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut TaskContext<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let (mut head, body) = request.into_parts();
        let (mut call, answer) = open(&*self.edge, &mut head);
        let request = Request::from_parts(head, body);
        // A panic in here drops the call, which notices.
        let future = call.flight().run(|| self.inner.call(request));
        ResponseFuture::new(future, call, answer)
    }
}

/// Reads the caller's metadata and opens the span below the caller's. The correlation id is what the answer tells.
fn open(edge: &dyn Edge, request: &mut Parts) -> (Box<Call>, Option<(HeaderName, HeaderValue)>) {
    let pipeline = Pipeline::current();
    let method = Method::of(&request.uri);
    let edge = edge.policy(&Incoming::new(request, Some(method.name()), peer_of));
    let incoming = pipeline.propagator().extract(&HeaderCarrier::new(&mut request.headers), &edge);
    let span = with_remote(&incoming, || open_span(&method));
    let mut recorded = false;
    span.edit(|record| {
        describe(record, request);
        recorded = true;
    });
    let answer = correlation(&pipeline, &incoming);
    let flight = Flight::new(span, recorded, &incoming, pipeline);
    (Box::new(Call::new(flight, Side::Server, method)), answer)
}

fn correlation(pipeline: &Pipeline, incoming: &Context) -> Option<(HeaderName, HeaderValue)> {
    let id = incoming.correlation_id().map(CorrelationId::as_str)?;
    let name = header_name(pipeline.propagator().correlation_header_name())?;
    Some((name, HeaderValue::from_str(id).ok()?))
}

/// Opens the span with what a sampler and log lines are to see; the rest goes straight to the record.
fn open_span(method: &Method) -> Span {
    tracing::info_span!(
        target: "throughline::http",
        "call",
        otel.name = method.span_name(),
        otel.kind = "server",
        { rpc::RPC_SYSTEM_NAME } = SYSTEM,
        { rpc::RPC_METHOD } = method.name(),
    )
}

fn describe(record: &mut dyn SpanRecord, request: &Parts) {
    let authority = match request.uri.authority() {
        Some(authority) => Some(authority.as_str()),
        None => attributes::header_text(&request.headers, &header::HOST),
    };
    if let Some((host, port)) = authority.and_then(attributes::host_and_port) {
        record.attribute(net::SERVER_ADDRESS, host.into());
        if let Some(port) = port {
            record.attribute(net::SERVER_PORT, port.into());
        }
    }
    if let Some(peer) = peer_of(request) {
        attributes::with_address(peer.ip(), |address| {
            record.attribute(net::NETWORK_PEER_ADDRESS, address.into());
        });
        record.attribute(net::NETWORK_PEER_PORT, peer.port().into());
    }
}

/// The address at the other end of the connection, where the server says so.
fn peer_of(request: &Parts) -> Option<SocketAddr> {
    let of_tonic = request.extensions.get::<TcpConnectInfo>().and_then(TcpConnectInfo::remote_addr);
    of_tonic.or_else(|| request.extensions.get::<SocketAddr>().copied())
}
