//! The server under measurement: one span and one log line a request, or the span alone.

use std::{error::Error, net::SocketAddr, path::PathBuf, sync::Arc, time::Instant};

use axum::{Router, routing::get};
use clap::Args;
use tokio::{net::TcpListener, sync::Notify};

use crate::stacks::{self, Stack};

/// What the parent process tells the server.
#[derive(Debug, Args)]
pub(crate) struct Settings {
    /// Which telemetry stack to install.
    #[arg(long)]
    pub(crate) stack: Stack,
    /// Where to send spans.
    #[arg(long)]
    pub(crate) otlp: String,
    /// Where to write log lines.
    #[arg(long)]
    pub(crate) log_file: PathBuf,
}

/// Serves until `GET /quit`; prints its address first and its CPU time last.
pub(crate) fn run(settings: &Settings) -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let quit = Arc::new(Notify::new());
    let at_quit = Arc::clone(&quit);
    let routes = Router::new()
        .route("/orders/{id}", get(order))
        .route("/silent/{id}", get(silent))
        .route("/quit", get(move || async move { at_quit.notify_one() }));

    let stack = {
        let _runtime = runtime.enter(); // tonic, in the hand-assembled stack, wants one around its set-up
        stacks::install(settings, routes)?
    };
    runtime.block_on(async {
        let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await?;
        println!("{}", listener.local_addr()?);
        let started = Instant::now();
        axum::serve(listener, stack.app).with_graceful_shutdown(async move { quit.notified().await }).await?;
        println!("served for {} ms", started.elapsed().as_millis());
        Ok::<_, Box<dyn Error>>(())
    })?;
    (stack.shutdown)();
    println!("cpu {} us", cpu_micros()?);
    Ok(())
}

async fn order() -> &'static str {
    tracing::info!(order_id = 17, "order accepted");
    "ok"
}

async fn silent() -> &'static str {
    "ok"
}

/// User and system time of this process so far; the kernel counts in ticks of 10 ms.
fn cpu_micros() -> Result<u64, Box<dyn Error>> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let ticks =
        after_name.split_whitespace().skip(11).take(2).map(str::parse::<u64>).sum::<Result<u64, _>>()?;
    Ok(ticks * 10_000)
}
