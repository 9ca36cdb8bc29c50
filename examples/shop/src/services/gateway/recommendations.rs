//! Recommendations: nice to have. Whoever can't give them in time is not waited for, and after a while not asked.

use std::{net::SocketAddr, time::Duration};

use axum::{
    body::Bytes,
    http::{HeaderMap, Response},
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde_json::json;
use throughline::resilience::{
    breaker::{self, BreakerLayer},
    fallback, timeout,
};
use tower::{ServiceBuilder, ServiceExt, util::BoxCloneSyncService};
use tracing::{Instrument, info_span, warn};

use crate::services::{
    Failure,
    client::{Client, Http, Instance, get, read},
};

/// How long a customer waits for them.
const TIME_LIMIT: Duration = Duration::from_millis(400);
/// How long nobody is asked after too many failures: short, so that it can be seen.
const OPEN_FOR: Duration = Duration::from_secs(2);
/// What everybody likes.
const BESTSELLERS: [&str; 2] = ["teapot", "umbrella"];

/// The client of recommendations. Clones share its breaker.
#[derive(Clone, Debug)]
pub(super) struct Recommendations {
    client: Client,
    breaker: BreakerLayer,
}

/// What there is to recommend, and the headers that say whether it is the real thing.
#[derive(Debug, Default)]
pub(super) struct Recommended {
    pub(super) items: Vec<String>,
    pub(super) headers: HeaderMap,
}

#[derive(Debug, Deserialize)]
struct Body {
    recommendations: Vec<String>,
}

impl Recommendations {
    pub(super) fn new(http: &Http, addresses: &[SocketAddr]) -> Result<Self, Failure> {
        let instance = Instance::all("recommendations", addresses, http).next();
        let breaker = breaker::builder("recommendations").open_for(OPEN_FOR).build();
        let client = ServiceBuilder::new()
            .layer(fallback::layer("recommendations", |_| Response::new(bestsellers())))
            .layer(breaker.clone())
            // Below the breaker: who hangs has failed, too.
            .layer(timeout::client().limit(TIME_LIMIT))
            .service(instance.ok_or("gateway needs --peer recommendations=ADDR")?);
        let client = BoxCloneSyncService::new(client.map_err(Failure::from));
        Ok(Self { client, breaker })
    }

    /// The state of the breaker.
    pub(super) fn breaker(&self) -> &'static str {
        self.breaker.state()
    }

    /// What goes with an item. It never fails: an order is an order without it.
    pub(super) async fn for_item(&self, item: &str) -> Recommended {
        match self.ask(item).instrument(info_span!("recommendations")).await {
            Ok(recommended) => recommended,
            Err(failure) => {
                warn!(error = &*failure, "nothing recommended");
                Recommended::default()
            }
        }
    }

    async fn ask(&self, item: &str) -> Result<Recommended, Failure> {
        let call = get(&path(item))?;
        let answer = self.client.clone().oneshot(call).await?;
        let Body { recommendations } = read(&answer)?;
        Ok(Recommended { items: recommendations, headers: answer.headers().clone() })
    }
}

fn bestsellers() -> Bytes {
    json!({ "recommendations": BESTSELLERS }).to_string().into()
}

/// What isn't a letter or a digit has a meaning in a query.
fn path(item: &str) -> String {
    format!("/recommendations?item={}", utf8_percent_encode(item, NON_ALPHANUMERIC))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_cannot_change_the_query() {
        assert_eq!(path("tea pot&x=1"), "/recommendations?item=tea%20pot%26x%3D1");
    }
}
