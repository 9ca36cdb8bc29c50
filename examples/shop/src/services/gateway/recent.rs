//! What a user has ordered lately, from the read model.

use std::net::SocketAddr;

use serde_json::Value;
use throughline::resilience::{retry, timeout};
use tower::{ServiceBuilder, ServiceExt, util::BoxCloneSyncService};

use crate::services::{
    Failure,
    client::{Client, Http, Instance, get, read},
};

/// The client of the read model.
#[derive(Clone, Debug)]
pub(super) struct RecentOrders {
    client: Client,
}

impl RecentOrders {
    pub(super) fn new(http: &Http, addresses: &[SocketAddr]) -> Result<Self, Failure> {
        let instance = Instance::all("recent-orders", addresses, http).next();
        let client = ServiceBuilder::new()
            .layer(retry::layer("recent-orders"))
            .layer(timeout::client())
            .service(instance.ok_or("gateway needs --peer recent-orders=ADDR")?);
        Ok(Self { client: BoxCloneSyncService::new(client.map_err(Failure::from)) })
    }

    pub(super) async fn of(&self, user: u32) -> Result<Value, Failure> {
        let answer = self.client.clone().oneshot(get(&format!("/users/{user}/recent-orders"))?).await?;
        read(&answer)
    }
}
