//! Calls that go out: open the span, inject, hand over, wrap.

use std::{
    panic::Location,
    task::{Context as TaskContext, Poll},
};

use http::{Request, Response, Uri};
use http_body::Body;
use throughline_core::{
    Context, OrphanKind, Pipeline, SpanExt, describe_call_on, expect_current,
    semconv::{http as net, rpc},
};
use tower_layer::Layer;
use tower_service::Service;
use tracing::Span;

use super::{
    ResponseBody, ResponseFuture, SYSTEM,
    call::{Address, Call, Side},
    method::Method,
};
use crate::{
    attributes,
    carrier::HeaderCarrier,
    flight::{Flight, InFlight},
};

/// The layer that traces outgoing calls; see [the module](mod@crate::grpc).
///
/// Goes around tonic's `Channel`; give the result to the generated client.
pub fn client() -> ClientLayer {
    ClientLayer::new()
}

/// Traces the calls that the channel below it sends; see [the module](mod@crate::grpc).
#[derive(Clone, Debug, Default)]
#[must_use = "a layer does nothing until it is added to a client"]
pub struct ClientLayer {
    address: Option<Address>,
}

impl ClientLayer {
    /// Sends the current context along with every call.
    pub fn new() -> Self {
        Self::default()
    }

    /// Where the calls go, for `server.address` and `server.port`: a channel keeps that to itself, and a call as it
    /// passes by here has no address of its own.
    pub fn server(mut self, host: &str, port: u16) -> Self {
        self.address = Some(Address { host: host.into(), port });
        self
    }
}

impl<S> Layer<S> for ClientLayer {
    type Service = TracedClient<S>;

    fn layer(&self, inner: S) -> TracedClient<S> {
        TracedClient { inner, address: self.address.clone() }
    }
}

/// A channel whose calls are traced; see [the module](mod@crate::grpc).
#[derive(Clone, Debug)]
pub struct TracedClient<S> {
    inner: S,
    address: Option<Address>,
}

impl<S, B, ResB> Service<Request<B>> for TracedClient<S>
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

    #[track_caller]
    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        expect_current(OrphanKind::Call, Location::caller(), || request.uri().path().to_owned());
        let mut call = open(self.address.as_ref(), &mut request);
        // A panic in here drops the call, which notices.
        let future = call.flight().run(|| self.inner.call(request));
        ResponseFuture::new(future, call, None)
    }
}

/// Opens the span and puts its ids into the call's metadata.
fn open<B>(address: Option<&Address>, request: &mut Request<B>) -> Box<Call> {
    let pipeline = Pipeline::current();
    let outside = Context::current();
    let address = address.cloned().or_else(|| address_in(request.uri()));
    let method = Method::of(request.uri());
    let span = open_span(&method, address.as_ref());
    describe_call_on(&span);
    pipeline.propagator().inject(&span.context(), &mut HeaderCarrier::new(request.headers_mut()));
    let flight = Flight::new(span, false, &outside, pipeline);
    Box::new(Call::new(flight, Side::Client(address), method))
}

/// The address of a call that has one, as below a client's own balancing.
fn address_in(uri: &Uri) -> Option<Address> {
    let (host, port) = attributes::host_and_port(uri.authority()?.as_str())?;
    let port = port.or_else(|| attributes::default_port(uri.scheme_str()?))?;
    Some(Address { host: host.into(), port })
}

/// Opens the span with what a sampler may look at.
fn open_span(method: &Method, address: Option<&Address>) -> Span {
    tracing::info_span!(
        target: "throughline::http",
        "call",
        otel.name = method.span_name(),
        otel.kind = "client",
        { rpc::RPC_SYSTEM_NAME } = SYSTEM,
        { rpc::RPC_METHOD } = method.name(),
        { net::SERVER_ADDRESS } = address.map(|address| &*address.host),
        { net::SERVER_PORT } = address.map(|address| address.port),
    )
}
