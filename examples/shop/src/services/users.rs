//! Who the customers are; each shard knows its own.
//!
//! One more shard, or one less, moves rows in three steps, so that at each moment whoever is asked has the answer:
//!
//! 1. `PUT /internal/peers` to each shard: it hands the rows that are no longer its own to their new owner, and keeps them.
//! 2. `PUT /internal/peers` to each instance of orders: it asks the new owner from now on.
//! 3. `POST /internal/forget-moved` to each shard: it forgets what it has handed over.

mod hand_over;
mod ring;
mod store;

use axum::{
    Json, Router,
    extract::{Path, State},
    http::StatusCode,
    routing::{get, post, put},
};
use serde_json::{Value, json};
use throughline::http::Problem;
use tracing::info;

use super::{
    Failure, Host, back_door::Peers, client::Http, database::Database, failure::unavailable, order::User,
};
use crate::arguments::Service;
pub(super) use ring::{Ring, key, ring};
use store::Store;

#[derive(Clone, Debug)]
struct Users {
    store: Store,
    http: Http,
    name: String,
}

pub(super) async fn serve(host: &Host) -> Result<(), Failure> {
    let name = host.settings().name();
    let database = Database::open(host.settings().database()?, &name, &store::SCHEMA).await?;
    let store = Store::open(database, &name).await?;
    let users = Users { store, http: Http::new(), name };
    let faulty = host.faulty(Router::new().route("/users/{id}", get(find)).with_state(users.clone()));
    let routes = Router::new()
        .route("/users", put(take_over))
        .route("/internal/peers", put(change_peers))
        .route("/internal/forget-moved", post(forget_moved))
        .route("/internal/state", get(state))
        .with_state(users);
    host.listen(faulty.merge(routes), throughline::http::server()).await
}

async fn find(State(users): State<Users>, Path(id): Path<u32>) -> Result<Json<User>, Problem> {
    match users.store.find(id).await {
        Ok(Some(user)) => {
            info!(user.id = id, "user found");
            Ok(Json(user))
        }
        Ok(None) => Err(Problem::new(StatusCode::NOT_FOUND).detail("there is no such user")),
        Err(error) => Err(unavailable(&error.into())),
    }
}

/// Users that another shard hands over.
async fn take_over(State(users): State<Users>, Json(new): Json<Vec<User>>) -> Result<StatusCode, Problem> {
    if new.len() > store::BATCH_MAX {
        return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE));
    }
    users.store.take_over(&new).await.map_err(|error| unavailable(&error.into()))?;
    info!(users = new.len(), "users taken over");
    Ok(StatusCode::NO_CONTENT)
}

async fn change_peers(State(users): State<Users>, Json(peers): Json<Peers>) -> Result<Json<Value>, Problem> {
    let ring = ring(&peers.of(Service::Users)?, &users.http);
    let handed = hand_over::hand_over(&users.store, &ring, &users.name).await;
    let handed = handed.map_err(|failure| unavailable(&failure))?;
    Ok(Json(json!({ "kept": handed.kept, "moved": handed.moved })))
}

async fn forget_moved(State(users): State<Users>) -> Result<StatusCode, Problem> {
    users.store.forget_moved().await.map_err(|error| unavailable(&error.into()))?;
    Ok(StatusCode::NO_CONTENT)
}

async fn state(State(users): State<Users>) -> Result<Json<Value>, Problem> {
    let count = users.store.count().await.map_err(|error| unavailable(&error.into()))?;
    Ok(Json(json!({ "users": count })))
}
