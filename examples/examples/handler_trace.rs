//! Test what a handler does: its trace as text, its log lines, the headers of its calls.
//!
//! ```text
//! cargo test -p examples --example handler_trace
//! ```
//!
//! You will see two tests pass. The first one shows the tree that it expects; the second one plants a secret and looks for it
//! everywhere. Nothing is global: such tests run side by side.

use std::{error::Error, time::Duration};

use axum::{Router, extract::Path, http::StatusCode, routing::get};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let telemetry = throughline::init("orders")?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    tracing::info!(address = %listener.local_addr()?, "listening");
    axum::serve(listener, app()).with_graceful_shutdown(throughline::shutdown_signal()).await?;
    telemetry.shutdown(Duration::from_secs(5)).await;
    Ok(())
}

fn app() -> Router {
    Router::new().route("/orders/{id}", get(order)).layer(throughline::http::server())
}

async fn order(Path(id): Path<u32>) -> Result<String, StatusCode> {
    let stored = load(id).await;
    tracing::info!(order.id = id, found = stored.is_some(), "order read");
    stored.ok_or(StatusCode::NOT_FOUND)
}

#[tracing::instrument]
async fn load(id: u32) -> Option<String> {
    (id == 7).then(|| "three apples".to_owned())
}

#[cfg(test)]
mod tests {
    use axum::{body::Body, http::Request};
    use throughline_testing::{Capture, TreeText, no_orphans, no_secrets, one_trace};
    use tower::ServiceExt;

    use super::*;

    const BODY_BYTES_MAX: usize = 1024;

    /// Sends one request to the app, and returns what was captured of it.
    async fn get(path: &str) -> Result<Capture, Box<dyn Error>> {
        let capture = Capture::new("orders");
        let request =
            Request::get(path).header("authorization", "Bearer s3cret-of-the-test").body(Body::empty())?;
        capture
            .run_async(async {
                let response = app().oneshot(request).await?;
                axum::body::to_bytes(response.into_body(), BODY_BYTES_MAX).await?;
                Ok(capture.clone())
            })
            .await
    }

    #[tokio::test]
    async fn an_order_that_is_missing_is_looked_up_and_no_failure_of_ours() -> Result<(), Box<dyn Error>> {
        let capture = get("/orders/8").await?;
        assert_eq!(
            capture.tree_with(&TreeText::new().attributes(["http.response.status_code"]).events()),
            "orders: GET /orders/{id} (server) #1 http.response.status_code=404\n\
             \x20 - order read\n\
             \x20 orders: load (internal) #2"
        );
        assert_eq!(capture.lines_of(one_trace(&capture))[0]["found"], false);
        Ok(())
    }

    #[tokio::test]
    async fn nothing_secret_is_told() -> Result<(), Box<dyn Error>> {
        let capture = get("/orders/7?token=hunter2").await?;
        no_secrets(&capture, ["hunter2", "s3cret-of-the-test"]);
        no_orphans(&capture);
        Ok(())
    }
}
