//! Open a service to the public: strangers choose no trace ids and fill no baggage, and their trace is linked.
//!
//! ```text
//! cargo run -p examples --example public_edge
//! ```
//!
//! A stranger calls with a trace, baggage and a correlation id of their own. You will see two log lines with a new
//! `trace_id`, and `tenant` on the partner's alone; both keep the caller's correlation id. With a Collector at
//! `OTEL_EXPORTER_OTLP_ENDPOINT` the spans are:
//!
//! ```text
//! GET /orders/{id}             a root, which links to the stranger's span
//! GET /partners/orders/{id}    the same, with one member of the partner's baggage
//! ```

#![expect(clippy::print_stdout, reason = "says in the end what was exported")]

use std::{error::Error, net::SocketAddr, time::Duration};

use axum::{Router, extract::Path, routing::get};
use throughline::{EdgePolicy, core::BaggageFields, http::Incoming};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let telemetry =
        throughline::builder("orders").baggage_fields(BaggageFields::new(["tenant", "role"])).install()?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move { axum::serve(listener, app()).await });

    call(address, "/orders/7").await?;
    call(address, "/partners/orders/7").await?;
    println!("{}", telemetry.shutdown(Duration::from_secs(5)).await);
    Ok(())
}

fn app() -> Router {
    Router::new()
        .route("/orders/{id}", get(order))
        .route("/partners/orders/{id}", get(order))
        .layer(throughline::http::server().edge(whom_to_believe))
}

/// By the request: its route here; its peer address, or a header that a proxy of yours sets, serve as well.
fn whom_to_believe(request: &Incoming<'_>) -> EdgePolicy {
    if request.route().is_some_and(|route| route.starts_with("/partners/")) {
        EdgePolicy::edge().baggage_keys(["tenant"])
    } else {
        EdgePolicy::edge()
    }
}

async fn order(Path(id): Path<u32>) -> String {
    tracing::info!(order.id = id, "order read");
    format!("order {id}")
}

/// What a stranger sends: everything that a service of ours would believe.
async fn call(address: SocketAddr, path: &str) -> Result<(), reqwest::Error> {
    let request = reqwest::Client::new()
        .get(format!("http://{address}{path}"))
        .header("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
        .header("baggage", "tenant=acme,role=admin")
        .header("x-correlation-id", "customer-17");
    request.send().await?.error_for_status()?.bytes().await?;
    Ok(())
}
