//! Pass a trace on: the smallest service that receives a request and sends others.
//!
//! ```text
//! cargo run -p examples --example relay -- --listen 127.0.0.1:8080
//! curl -i 127.0.0.1:8080/relay -H 'content-type: application/json' -H 'x-correlation-id: my-order' \
//!      -d '[{"url": "http://127.0.0.1:8080/relay", "arguments": []}]'
//! ```
//!
//! `POST /relay` takes a JSON array of `{"url": …, "arguments": […]}` and posts each element's arguments to its address,
//! in order. Here the relay calls itself: both requests are one trace, the log line about the call has its `trace_id` and
//! the correlation id that was sent, and the response gives that id back.

use std::{error::Error, net::SocketAddr, time::Duration};

use axum::{Json, Router, extract::State, http::StatusCode, routing::post};
use clap::Parser;
use serde::Deserialize;
use serde_json::Value;
use throughline::http::reqwest::{Client, traced};
use tokio::net::TcpListener;

#[derive(Parser)]
struct Arguments {
    /// Where to listen; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
}

#[derive(Deserialize)]
struct Call {
    url: String,
    arguments: Vec<Value>,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    let telemetry = throughline::init("relay")?;
    let http = traced(reqwest::Client::builder().timeout(Duration::from_secs(10)))?;

    let listener = TcpListener::bind(arguments.listen)
        .await
        .map_err(|error| format!("cannot listen on {}: {error}", arguments.listen))?;
    tracing::info!(address = %listener.local_addr()?, "listening");
    axum::serve(listener, app(http)).with_graceful_shutdown(throughline::shutdown_signal()).await?;

    let report = telemetry.shutdown(Duration::from_secs(5)).await;
    if report.lost() > 0 {
        return Err(report.to_string().into());
    }
    Ok(())
}

fn app(http: Client) -> Router {
    Router::new().route("/relay", post(relay)).with_state(http).layer(throughline::http::server())
}

/// Runs inside the request's span; so does each call that it makes.
async fn relay(State(http): State<Client>, Json(calls): Json<Vec<Call>>) -> StatusCode {
    for call in calls {
        match pass_on(&http, &call).await {
            Ok(status) => tracing::info!(status = status.as_u16(), "relayed"),
            // The address may hold a secret. The span has it, redacted.
            Err(error) => tracing::warn!(error = &error.without_url() as &dyn Error, "not relayed"),
        }
    }
    StatusCode::OK
}

async fn pass_on(http: &Client, call: &Call) -> Result<StatusCode, reqwest::Error> {
    let response = http.post(&call.url).json(&call.arguments).send().await?;
    let status = response.status();
    // Read to the end, so that the connection can be used again.
    response.bytes().await?;
    Ok(status)
}
