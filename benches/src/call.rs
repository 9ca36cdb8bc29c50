//! The cost of one client call, under a span of its caller, with and without the patterns around it.
//!
//! The other end answers at once, from within the process, so that nothing but the client is counted. Finished spans are
//! encoded and then dropped, both the caller's and the client's.

use std::{convert::Infallible, error::Error, sync::Arc};

use axum::{
    body::Body,
    http::{Request, Response},
};
use clap::{Args, ValueEnum};
use throughline::{
    core::{ContextLayer, Pipeline},
    otlp::{SpanLayer, SpanSink},
    resilience::{balance::Balancer, breaker, retry},
};
use tower::{Service, ServiceBuilder, ServiceExt, service_fn};
use tracing::{Instrument, info_span};
use tracing_subscriber::prelude::*;

/// How many instances the balancer chooses from.
const INSTANCES: usize = 3;

/// What the call goes through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Client {
    /// throughline's client layer alone.
    Traced,
    /// Retry, breaker and balancer around such clients.
    Resilient,
}

#[derive(Debug, Args)]
pub(crate) struct Settings {
    #[arg(long)]
    client: Client,
    #[arg(long)]
    calls: u64,
}

pub(crate) fn run(settings: &Settings) -> Result<(), Box<dyn Error>> {
    let subscriber = tracing_subscriber::registry()
        .with(ContextLayer::new(Pipeline::builder().build()))
        .with(SpanLayer::new(Arc::new(Nowhere)));
    let _installed = subscriber.set_default();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
    runtime.block_on(async {
        match settings.client {
            Client::Traced => call(traced(), settings.calls).await,
            Client::Resilient => call(resilient(), settings.calls).await,
        }
    })
}

/// Makes the calls, one after the other, all of which must go well.
async fn call<S, B>(client: S, calls: u64) -> Result<(), Box<dyn Error>>
where
    S: Service<Request<()>, Response = Response<B>, Error: Error + 'static> + Clone,
{
    for _ in 0..calls {
        let request = Request::get("http://users.internal/users/7").body(())?;
        let response = client.clone().oneshot(request).instrument(info_span!("checkout")).await?;
        if !response.status().is_success() {
            return Err(response.status().as_str().into());
        }
    }
    Ok(())
}

/// A client such as hyper's, traced.
fn traced()
-> impl Service<Request<()>, Response = Response<impl Send + 'static>, Error = Infallible, Future: Send>
+ Clone
+ Send
+ 'static {
    let answering = service_fn(async |_: Request<()>| Ok(Response::new(Body::empty())));
    ServiceBuilder::new().layer(throughline::http::client()).service(answering)
}

/// In the order in which a call meets them, as the crate's page has it.
fn resilient() -> impl Service<Request<()>, Response = Response<impl Send>, Error: Error + 'static> + Clone {
    let instances = (0..INSTANCES).fold(Balancer::builder("users"), |builder, number| {
        builder.instance(format!("users-{number}"), traced())
    });
    ServiceBuilder::new()
        .layer(retry::layer("users"))
        .layer(breaker::http("users"))
        .service(instances.build())
}

struct Nowhere;

impl SpanSink for Nowhere {
    fn accept(&self, _: &[u8]) {}
}
