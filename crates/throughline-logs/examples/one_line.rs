//! Writes the same line many times: what to count instructions of.
//!
//! ```text
//! cargo build --release -p throughline-logs --example one_line
//! valgrind --tool=callgrind target/release/examples/one_line 1000
//! valgrind --tool=callgrind target/release/examples/one_line 11000   # the difference is 10,000 lines
//! ```

use std::{io, process::ExitCode};

use throughline_core::{ContextLayer, Pipeline};
use throughline_logs::{JsonLayer, NonBlocking};
use tracing::{info, info_span};
use tracing_subscriber::prelude::*;

fn main() -> ExitCode {
    let Some(lines) = std::env::args().nth(1).and_then(|lines| lines.parse::<u64>().ok()) else {
        return ExitCode::FAILURE;
    };
    let Ok((writer, _guard)) = NonBlocking::builder().spawn(io::sink()) else { return ExitCode::FAILURE };
    let subscriber = tracing_subscriber::registry()
        .with(ContextLayer::new(Pipeline::builder().build()))
        .with(JsonLayer::builder("orders").writer(writer).build());
    tracing::subscriber::with_default(subscriber, || {
        let _outer = info_span!("request", method = "POST", route = "/orders", attempt = 1).entered();
        let _inner = info_span!("store", table = "orders", shard = 2, primary = true).entered();
        for order_id in 0..lines {
            info!(order_id, customer = "c-1234", total = 12.5, express = false, "order stored");
        }
    });
    ExitCode::SUCCESS
}
