//! Who the customers are; each shard knows its own.

use std::error::Error;

use axum::{
    Json, Router,
    extract::{Path, State},
    http::StatusCode,
    routing::get,
};
use throughline::SpanExt;
use tracing::{Span, info, warn};

use super::{listen, order::User};
use crate::{arguments::ServeArguments, faults::Rate};

#[derive(Clone, Copy)]
struct Users {
    shard: usize,
    fail: Rate,
}

pub(super) async fn serve(settings: &ServeArguments) -> Result<(), Box<dyn Error>> {
    let users = Users { shard: settings.instance, fail: settings.fail };
    listen::serve(Router::new().route("/users/{id}", get(find)).with_state(users)).await
}

async fn find(State(users): State<Users>, Path(id): Path<u64>) -> Result<Json<User>, StatusCode> {
    Span::current().set_attribute("shop.shard", users.shard);
    if users.fail.strikes() {
        warn!(shard = users.shard, "failing on purpose");
        return Err(StatusCode::INTERNAL_SERVER_ERROR);
    }
    info!(user.id = id, shard = users.shard, "user found");
    Ok(Json(User { id, name: format!("customer {id}") }))
}
