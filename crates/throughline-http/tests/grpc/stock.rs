//! A service as tonic's generated code would have it, with one method of each kind; texts are the messages.

use std::{
    convert::Infallible,
    future::{Ready, pending, ready},
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll},
};

use http::{Request, Response, uri::PathAndQuery};
use throughline_http::grpc;
use tokio::net::TcpListener;
use tokio_stream::{Stream, StreamExt, wrappers::TcpListenerStream};
use tonic::{
    Code, Status, Streaming,
    body::Body,
    client::Grpc as ClientGrpc,
    server::{Grpc, NamedService, ServerStreamingService, StreamingService, UnaryService},
    transport::{Channel, Server},
};
use tonic_prost::ProstCodec;
use tower::{Service, ServiceBuilder};

/// The traced channel to a server of this file.
pub(crate) type Traced = grpc::TracedClient<Channel>;

/// Starts a traced server on a free port.
pub(crate) async fn serve() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = Server::builder().layer(grpc::server()).add_service(Stock);
    tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
    address
}

/// A traced channel to `address`, which connects with its first call.
pub(crate) fn channel(address: SocketAddr) -> Traced {
    let channel = Channel::from_shared(format!("http://{address}")).unwrap().connect_lazy();
    let layer = grpc::client().server(&address.ip().to_string(), address.port());
    ServiceBuilder::new().layer(layer).service(channel)
}

/// Calls a method that takes one message and answers with one.
pub(crate) async fn unary(channel: Traced, method: &'static str, message: &str) -> Result<String, Status> {
    let mut grpc = ClientGrpc::new(channel);
    grpc.ready().await.map_err(|error| Status::unknown(error.to_string()))?;
    let request = tonic::Request::new(message.to_owned());
    let path = PathAndQuery::from_static(method);
    grpc.unary(request, path, ProstCodec::<String, String>::default()).await.map(tonic::Response::into_inner)
}

/// Calls a method that takes a stream of messages and answers with another.
pub(crate) async fn streaming(
    channel: Traced,
    method: &'static str,
    messages: &[&'static str],
) -> Result<Streaming<String>, Status> {
    let mut grpc = ClientGrpc::new(channel);
    grpc.ready().await.map_err(|error| Status::unknown(error.to_string()))?;
    let messages: Vec<String> = messages.iter().map(|message| (*message).to_owned()).collect();
    let request = tonic::Request::new(tokio_stream::iter(messages));
    let path = PathAndQuery::from_static(method);
    let codec = ProstCodec::<String, String>::default();
    grpc.streaming(request, path, codec).await.map(tonic::Response::into_inner)
}

/// The service.
#[derive(Clone)]
struct Stock;

impl NamedService for Stock {
    const NAME: &'static str = "shop.v1.Stock";
}

impl Service<Request<Body>> for Stock {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let mut grpc = Grpc::new(ProstCodec::<String, String>::default());
        Box::pin(async move {
            Ok(match request.uri().path() {
                "/shop.v1.Stock/Reserve" => grpc.unary(Reserve, request).await,
                "/shop.v1.Stock/Watch" => grpc.server_streaming(Watch, request).await,
                "/shop.v1.Stock/Echo" => grpc.streaming(Echo, request).await,
                _ => Status::unimplemented("no such method").into_http(),
            })
        })
    }
}

/// Reserves an item, or fails as its name says.
struct Reserve;

impl UnaryService<String> for Reserve {
    type Response = String;
    type Future = Pin<Box<dyn Future<Output = Result<tonic::Response<String>, Status>> + Send>>;

    fn call(&mut self, request: tonic::Request<String>) -> Self::Future {
        Box::pin(async move {
            match request.get_ref().as_str() {
                "panic" => panic!("as was asked for"),
                "hang" => pending().await,
                item => match item.parse::<i32>() {
                    Ok(code) => Err(Status::new(Code::from(code), "token=secret")),
                    Err(_) => Ok(tonic::Response::new(format!("reserved {item}"))),
                },
            }
        })
    }
}

type Messages = Pin<Box<dyn Stream<Item = Result<String, Status>> + Send>>;

/// Two messages, and then what the item's name says: an end, a failure, or nothing for ever.
struct Watch;

impl ServerStreamingService<String> for Watch {
    type Response = String;
    type ResponseStream = Messages;
    type Future = Ready<Result<tonic::Response<Messages>, Status>>;

    fn call(&mut self, request: tonic::Request<String>) -> Self::Future {
        let first = tokio_stream::iter([Ok("3 left".to_owned()), Ok("2 left".to_owned())]);
        let messages: Messages = match request.get_ref().as_str() {
            "hang" => Box::pin(first.chain(tokio_stream::pending())),
            "fail" => Box::pin(first.chain(tokio_stream::once(Err(Status::data_loss("token=secret"))))),
            _ => Box::pin(first),
        };
        ready(Ok(tonic::Response::new(messages)))
    }
}

/// Every message back, until there are no more.
struct Echo;

impl StreamingService<String> for Echo {
    type Response = String;
    type ResponseStream = Messages;
    type Future = Ready<Result<tonic::Response<Messages>, Status>>;

    fn call(&mut self, request: tonic::Request<Streaming<String>>) -> Self::Future {
        ready(Ok(tonic::Response::new(Box::pin(request.into_inner()))))
    }
}
