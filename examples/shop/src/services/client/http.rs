//! The one HTTP client of a service.

use std::time::Duration;

use axum::body::Bytes;
use http_body_util::Full;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use throughline::http::client::Trace;
use tower::Layer;

/// How long a connection may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// How long an unused connection is kept.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);
/// How many unused connections to one instance are kept.
const IDLE_MAX: usize = 32;

type Plain = Client<HttpConnector, Full<Bytes>>;

/// The traced client: each attempt has a span, and the trace goes on in its headers. Clones share their connections.
#[derive(Clone, Debug)]
pub(in crate::services) struct Http {
    pub(super) traced: Trace<Plain>,
    plain: Plain,
}

impl Http {
    pub(in crate::services) fn new() -> Self {
        let mut connector = HttpConnector::new();
        connector.set_connect_timeout(Some(CONNECT_TIMEOUT));
        connector.set_nodelay(true);
        let plain = Client::builder(TokioExecutor::new())
            .pool_idle_timeout(IDLE_TIMEOUT)
            .pool_max_idle_per_host(IDLE_MAX)
            .build(connector);
        Self { traced: throughline::http::client().layer(plain.clone()), plain }
    }

    /// The same without spans, for what nobody wants to see in a trace.
    pub(in crate::services) fn probe(&self) -> Probe {
        Probe(self.plain.clone())
    }
}

/// Asks instances how they are.
#[derive(Clone, Debug)]
pub(in crate::services) struct Probe(Plain);

/// How long an instance may take to say how it is.
const PROBE_TIMEOUT: Duration = Duration::from_millis(500);

impl Probe {
    /// Whether the instance at this address says that it is well.
    pub(in crate::services) async fn is_well(&self, address: std::net::SocketAddr) -> bool {
        let Ok(url) = format!("http://{address}{}", crate::services::back_door::HEALTH).parse() else {
            return false;
        };
        let answer = tokio::time::timeout(PROBE_TIMEOUT, self.0.get(url)).await;
        matches!(answer, Ok(Ok(answer)) if answer.status().is_success())
    }
}
