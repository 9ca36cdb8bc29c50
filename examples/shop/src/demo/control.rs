//! The back door of each service: failing on purpose, peers, replays, and what a service has counted.

use std::{error::Error, net::SocketAddr};

use reqwest::{Client, RequestBuilder};
use serde::Serialize;
use serde_json::{Value, json};

use super::fleet::{Fleet, Member};
use crate::arguments::Service;

/// Talks to the routes under `/internal`, which no customer sees and no trace shows.
#[derive(Clone, Debug, Default)]
pub(super) struct Control {
    http: Client,
}

/// What a service is to fail at next; what isn't set stays as it is.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(super) struct Faults {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) fail_next: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) delay_next: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) delay_ms: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) publish_fail_next: Option<u32>,
}

impl Faults {
    /// Fails the next so many requests, or messages.
    pub(super) fn fail_next(times: u32) -> Self {
        Self { fail_next: Some(times), ..Self::default() }
    }

    /// Answers the next request late.
    pub(super) fn delay_next(delay_ms: u32) -> Self {
        Self { delay_next: Some(1), delay_ms: Some(delay_ms), ..Self::default() }
    }

    /// Fails the next so many times that an event is published.
    pub(super) fn publish_fail_next(times: u32) -> Self {
        Self { publish_fail_next: Some(times), ..Self::default() }
    }
}

impl Control {
    /// Tells every instance of a service what to fail at.
    pub(super) async fn fault(
        &self,
        fleet: &Fleet,
        service: Service,
        faults: Faults,
    ) -> Result<(), Box<dyn Error>> {
        for address in fleet.addresses(service) {
            self.ask(self.http.put(route(address, "faults")).json(&faults)).await?;
        }
        Ok(())
    }

    /// Tells a service who its peers are from now on; the answer is the service's own.
    pub(super) async fn peers(
        &self,
        fleet: &Fleet,
        member: Member,
        peers: Service,
    ) -> Result<Value, Box<dyn Error>> {
        let addresses: Vec<_> = fleet.addresses(peers).iter().map(SocketAddr::to_string).collect();
        let body = json!({ peers.name(): addresses });
        self.ask(self.http.put(route(fleet.address(member)?, "peers")).json(&body)).await
    }

    /// Asks a service to do something that its state is changed by: `replay`, `reset`, `forget-moved`.
    pub(super) async fn post(&self, address: SocketAddr, what: &str) -> Result<Value, Box<dyn Error>> {
        self.ask(self.http.post(route(address, what))).await
    }

    /// What a service has counted.
    pub(super) async fn state(&self, address: SocketAddr) -> Result<Value, Box<dyn Error>> {
        self.ask(self.http.get(route(address, "state"))).await
    }

    async fn ask(&self, request: RequestBuilder) -> Result<Value, Box<dyn Error>> {
        let answer = request.send().await?.error_for_status()?.bytes().await?;
        if answer.is_empty() { Ok(Value::Null) } else { Ok(serde_json::from_slice(&answer)?) }
    }
}

fn route(address: SocketAddr, what: &str) -> String {
    format!("http://{address}/internal/{what}")
}
