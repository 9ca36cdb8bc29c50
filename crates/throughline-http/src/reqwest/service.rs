//! The client as a tower service.

use std::{
    future::Future,
    panic::Location,
    pin::Pin,
    task::{Context, Poll},
};

use ::reqwest::{Body, Error, Request, Response};
use tower_service::Service;

use super::Client;
use crate::client::ResendCount;

type ResponseFuture = Pin<Box<dyn Future<Output = Result<Response, Error>> + Send>>;

impl Service<Request> for Client {
    type Response = Response;
    type Error = Error;
    type Future = ResponseFuture;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    #[track_caller]
    fn call(&mut self, request: Request) -> ResponseFuture {
        let (client, place) = (self.clone(), Location::caller());
        Box::pin(async move { client.send_from(place, request, ResendCount::default()).await })
    }
}

/// For layers that retry: the extensions of a `reqwest::Request` are closed, so only a request of this type can be
/// marked with a [`ResendCount`](crate::client::ResendCount).
impl<B: Into<Body>> Service<http::Request<B>> for Client {
    type Response = Response;
    type Error = Error;
    type Future = ResponseFuture;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    #[track_caller]
    fn call(&mut self, request: http::Request<B>) -> ResponseFuture {
        let (client, place) = (self.clone(), Location::caller());
        let resends = request.extensions().get().copied().unwrap_or_default();
        let request = Request::try_from(request);
        Box::pin(async move { client.send_from(place, request?, resends).await })
    }
}
