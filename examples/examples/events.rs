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
use throughline::{Carry, http::server::Streaming};
use tokio::{net::TcpListener, sync::mpsc};
use tokio_stream::{Stream, wrappers::ReceiverStream};

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

async fn progress(Path(id): Path<u32>) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let (events, stream) = mpsc::channel(1);
    let work = async move {
        for step in ["accepted", "packed", "sent"] {
            tracing::info!(order.id = id, step, "progress");
            // Whoever stops listening stops the work.
            if events.send(Ok(Event::default().event("progress").data(step))).await.is_err() {
                return;
            }
        }
    };
    // Without `carry` the lines would have no ids.
    tokio::spawn(work.carry());
    Sse::new(ReceiverStream::new(stream))
}
