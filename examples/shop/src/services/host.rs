//! One service in one process: it listens, fails on purpose, and ends when it is told to.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{Request, State},
    http::StatusCode,
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use throughline::{
    http::{
        Problem,
        server::{self, SkipPaths},
    },
    resilience::timeout,
};
use tokio::net::TcpListener;
use tracing::warn;

use super::{Failure, back_door, say, stop::Stop};
use crate::{arguments::ServeArguments, faults::Faults};

/// How long a service that is started again waits for its old address.
const ADDRESS_TIMEOUT: Duration = Duration::from_secs(5);
/// How long between two looks at it.
const ADDRESS_PERIOD: Duration = Duration::from_millis(50);

/// What every service has.
#[derive(Debug)]
pub(super) struct Host {
    settings: ServeArguments,
    faults: Arc<Faults>,
    stop: Stop,
}

impl Host {
    pub(super) fn new(settings: ServeArguments) -> Self {
        let faults = Arc::new(Faults::new(settings.fail));
        Self { settings, faults, stop: Stop::on_signal() }
    }

    pub(super) const fn settings(&self) -> &ServeArguments {
        &self.settings
    }

    pub(super) const fn faults(&self) -> &Arc<Faults> {
        &self.faults
    }

    pub(super) const fn stop(&self) -> &Stop {
        &self.stop
    }

    /// Makes routes fail on purpose when they are told to.
    pub(super) fn faulty(&self, routes: Router) -> Router {
        routes.route_layer(middleware::from_fn_with_state(Arc::clone(&self.faults), fail_on_purpose))
    }

    /// Serves these routes, and those that every service has, until the service is to end.
    pub(super) async fn listen(&self, routes: Router, layer: server::TraceLayer) -> Result<(), Failure> {
        let listener = bind(self.settings.listen).await?;
        let untraced = SkipPaths::new().exact(back_door::HEALTH).prefix(back_door::INTERNAL);
        let app = routes
            .merge(back_door::routes(Arc::clone(&self.faults)))
            .layer(timeout::server())
            .layer(layer.skip(untraced));
        say::listening(listener.local_addr()?);
        let stop = self.stop.clone();
        axum::serve(listener, app).with_graceful_shutdown(async move { stop.wait().await }).await?;
        Ok(())
    }
}

/// What has been killed can leave its address taken for a moment.
async fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let taken_until = tokio::time::Instant::now() + ADDRESS_TIMEOUT;
    loop {
        match TcpListener::bind(address).await {
            Err(error)
                if error.kind() == io::ErrorKind::AddrInUse && tokio::time::Instant::now() < taken_until =>
            {
                tokio::time::sleep(ADDRESS_PERIOD).await;
            }
            bound => return bound,
        }
    }
}

async fn fail_on_purpose(State(faults): State<Arc<Faults>>, request: Request, next: Next) -> Response {
    match faults.strike().await {
        Ok(()) => next.run(request).await,
        Err(failure) => {
            warn!("{failure}");
            Problem::new(StatusCode::SERVICE_UNAVAILABLE).detail(&failure.to_string()).into_response()
        }
    }
}
