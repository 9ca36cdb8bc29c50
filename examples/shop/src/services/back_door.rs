//! What every service has behind the customers' backs: no trace shows it.

use std::{collections::BTreeMap, net::SocketAddr, sync::Arc};

use axum::{
    Json, Router,
    extract::State,
    http::StatusCode,
    routing::{get, put},
};
use serde::Deserialize;
use throughline::http::Problem;

use crate::{
    arguments::Service,
    faults::{Change, Faults},
};

/// What a balancer's probe asks for.
pub(super) const HEALTH: &str = "/health";
/// Everything else.
pub(super) const INTERNAL: &str = "/internal";

/// How many instances of a service can be named.
const PEERS_MAX: usize = 64;

/// The routes that are the same in all of them.
pub(super) fn routes(faults: Arc<Faults>) -> Router {
    Router::new()
        .route(HEALTH, get(StatusCode::OK))
        .route("/internal/faults", put(change_faults))
        .with_state(faults)
}

async fn change_faults(State(faults): State<Arc<Faults>>, Json(change): Json<Change>) -> StatusCode {
    faults.change(&change);
    StatusCode::NO_CONTENT
}

/// The body of `PUT /internal/peers`: where the instances of a service listen, in the order of their numbers.
#[derive(Debug, Deserialize)]
pub(super) struct Peers(BTreeMap<String, Vec<SocketAddr>>);

impl Peers {
    /// The instances of `service`, of which there must be some, and not too many.
    pub(super) fn of(mut self, service: Service) -> Result<Vec<SocketAddr>, Problem> {
        let refused = |detail: String| Problem::new(StatusCode::UNPROCESSABLE_ENTITY).detail(&detail);
        let name = service.name();
        let addresses = self.0.remove(name).ok_or_else(|| refused(format!("{name} are wanted")))?;
        if (1..=PEERS_MAX).contains(&addresses.len()) {
            Ok(addresses)
        } else {
            Err(refused(format!("1 to {PEERS_MAX} {name} are wanted, not {}", addresses.len())))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn users(json: &str) -> Result<usize, StatusCode> {
        let peers: Peers = serde_json::from_str(json).unwrap();
        peers.of(Service::Users).map(|users| users.len()).map_err(|problem| problem.status())
    }

    #[test]
    fn peers_are_some_and_not_too_many() {
        assert_eq!(users(r#"{"users": ["127.0.0.1:1", "127.0.0.1:2"]}"#), Ok(2));
        let many = vec!["\"127.0.0.1:1\""; PEERS_MAX + 1].join(",");
        for bad in ["{}", r#"{"users": []}"#, &format!(r#"{{"users": [{many}]}}"#)] {
            assert_eq!(users(bad), Err(StatusCode::UNPROCESSABLE_ENTITY), "{bad}");
        }
    }
}
