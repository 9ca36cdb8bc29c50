//! Hand work to a background worker: a channel whose messages stay in the trace of the request that sent them.
//!
//! ```text
//! cargo run -p examples --example worker
//! ```
//!
//! Two requests leave one job each; a worker, in a task that belongs to neither, handles them. You will see that each
//! `mail sent` has the `trace_id` and the correlation id of its own request:
//!
//! ```text
//! POST /orders
//! └─ send mails
//!    └─ process mails     throughline.messaging.queue_time_ms says how long it waited
//! ```

#![expect(clippy::print_stdout, reason = "says in the end what was exported")]

use std::{error::Error, sync::Arc, time::Duration};

use axum::{Router, extract::State, http::StatusCode, routing::post};
use throughline::messaging::channel::{self, Receiver, Sender};
use tokio::net::TcpListener;

/// How many jobs may wait before a request has to.
const JOBS_MAX: usize = 64;

struct Mail {
    to: String,
}

type Mails = Arc<Sender<Mail>>;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let telemetry = throughline::init("orders")?;
    let (mails, incoming) = channel::channel("mails", JOBS_MAX);
    // Not `carry`: the worker belongs to no request, its messages do.
    let worker = tokio::spawn(send_mails(incoming));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}/orders", listener.local_addr()?);
    let server = tokio::spawn(async move { axum::serve(listener, app(Arc::new(mails))).await });

    let http = reqwest::Client::new();
    for customer in ["ada", "grace"] {
        let request = http.post(&url).header("x-correlation-id", format!("order-of-{customer}"));
        request.body(customer).send().await?.error_for_status()?;
    }
    // The server's sender is the last one: without it, the worker has nothing left to wait for.
    server.abort();
    drop(server.await);
    worker.await?;
    println!("{}", telemetry.shutdown(Duration::from_secs(5)).await);
    Ok(())
}

fn app(mails: Mails) -> Router {
    Router::new().route("/orders", post(order)).with_state(mails).layer(throughline::http::server())
}

async fn order(State(mails): State<Mails>, customer: String) -> Result<StatusCode, StatusCode> {
    tracing::info!(customer, "ordered");
    mails.send(Mail { to: customer }).await.map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
    Ok(StatusCode::ACCEPTED)
}

async fn send_mails(mut incoming: Receiver<Mail>) {
    while let Some(delivery) = incoming.recv().await {
        delivery.process(async |mail: Mail| tracing::info!(to = mail.to, "mail sent")).await;
    }
}
