//! Asking for a customer: whichever shard has them, again if that may help, and not for longer than the caller waits.

use std::{
    net::SocketAddr,
    sync::{Arc, PoisonError, RwLock},
};

use axum::http::StatusCode;
use throughline::resilience::{retry, timeout};
use tower::{ServiceBuilder, ServiceExt};

use super::Refusal;
use crate::services::{
    client::{Answer, Http, get, read},
    order::User,
    users::{Ring, key, ring},
};

/// How often a shard is asked again: the caller tries again, too.
const RESENDS_MAX: u32 = 2;

/// The shards of users.
#[derive(Debug)]
pub(super) struct Customers {
    http: Http,
    retry: retry::RetryLayer,
    ring: RwLock<Arc<Ring>>,
}

impl Customers {
    pub(super) fn new(http: Http, shards: &[SocketAddr]) -> Self {
        let ring = RwLock::new(Arc::new(ring(shards, &http)));
        Self { http, retry: retry::layer("users").resends_max(RESENDS_MAX), ring }
    }

    /// From now on these are asked.
    pub(super) fn change_shards(&self, shards: &[SocketAddr]) {
        *self.ring.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(ring(shards, &self.http));
    }

    pub(super) async fn find(&self, id: u32) -> Result<User, Refusal> {
        let answer = self.ask(id).await?;
        match answer.status() {
            StatusCode::NOT_FOUND => Err(Refusal::UnknownUser),
            _ => Ok(read(&answer)?),
        }
    }

    async fn ask(&self, id: u32) -> Result<Answer, Refusal> {
        let (ring, call) = (self.ring(), get(&format!("/users/{id}"))?);
        let asked = ring.call(&key(id), |shard| {
            let client = ServiceBuilder::new()
                .layer(self.retry.clone())
                .layer(timeout::client())
                .service(shard.clone());
            client.oneshot(call)
        });
        let answer = asked.ok_or_else(|| Refusal::Trouble("there is no shard of users".into()))?.await;
        answer.map_err(|error| Refusal::Trouble(error.into()))
    }

    fn ring(&self) -> Arc<Ring> {
        Arc::clone(&self.ring.read().unwrap_or_else(PoisonError::into_inner))
    }
}
