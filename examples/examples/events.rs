//! Stream events: server-sent events whose span is as long as the stream.
//!
//! ```text
//! cargo run -p examples --example events
//! ```
//!
//! The progress of an order comes in three events. You will see a log line for each, all with the `trace_id` of the request,
//! although the handler returned long before; and the span, `GET /orders/{id}/progress`, which ends with the last event and
//! counts them as `throughline.http.messages`.

#![expect(clippy::print_stdout, reason = "says in the end what was exported")]

use std::{convert::Infallible, error::Error, time::Duration};

use axum::{
    Router,
    extract::Path,
    response::sse::{Event, Sse},
    routing::get,
};
use throughline::http::server::Streaming;
use tokio::net::TcpListener;
use tokio_stream::{Stream, StreamExt};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let telemetry = throughline::init("orders")?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}/orders/7/progress", listener.local_addr()?);
    tokio::spawn(async move { axum::serve(listener, app()).await });

    print!("{}", reqwest::get(url).await?.error_for_status()?.text().await?);
    println!("{}", telemetry.shutdown(Duration::from_secs(5)).await);
    Ok(())
}

fn app() -> Router {
    // For streams that last for hours, `Streaming::Handshake` ends the request's span when the stream begins.
    let layer = throughline::http::server().streaming(Streaming::Whole);
    Router::new().route("/orders/{id}/progress", get(progress)).layer(layer)
}

/// The stream runs when the client reads on, long after this has returned, and still inside the request's span.
async fn progress(Path(id): Path<u32>) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let steps = tokio_stream::iter(["accepted", "packed", "sent"]);
    Sse::new(steps.map(move |step| {
        tracing::info!(order.id = id, step, "progress");
        Ok(Event::default().event("progress").data(step))
    }))
}
