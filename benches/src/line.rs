//! The cost of one JSON log line: a message and four fields, inside two spans of three fields, with ids.

use std::{error::Error, io};

use clap::{Args, ValueEnum};
use throughline::{
    core::{ContextLayer, Pipeline},
    logs::{Blocking, JsonLayer},
};
use tracing::{Subscriber, info, info_span};
use tracing_subscriber::prelude::*;

/// What to write lines with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Writer {
    /// `tracing_subscriber::fmt().json()`.
    Fmt,
    /// throughline's JSON layer.
    Throughline,
}

#[derive(Debug, Args)]
pub(crate) struct Settings {
    #[arg(long)]
    writer: Writer,
    #[arg(long)]
    lines: u64,
}

pub(crate) fn run(settings: &Settings) -> Result<(), Box<dyn Error>> {
    match settings.writer {
        Writer::Fmt => {
            let layer = tracing_subscriber::fmt::layer().json().with_writer(io::sink);
            write(tracing_subscriber::registry().with(layer), settings.lines);
        }
        Writer::Throughline => {
            let (context, json) = ours();
            write(tracing_subscriber::registry().with(context).with(json), settings.lines);
        }
    }
    Ok(())
}

/// The layers that `throughline::init` installs for log lines, with a writer that keeps nothing.
fn ours() -> (ContextLayer, JsonLayer) {
    let pipeline = Pipeline::builder().build();
    (ContextLayer::new(pipeline), JsonLayer::builder("bench").writer(Blocking::new(io::sink())).build())
}

fn write(subscriber: impl Subscriber + Send + Sync, lines: u64) {
    tracing::subscriber::with_default(subscriber, || {
        let _outer = info_span!("request", method = "POST", route = "/orders", attempt = 1).entered();
        let _inner = info_span!("store", table = "orders", shard = 2, primary = true).entered();
        for line in 0..lines {
            info!(order_id = line, customer = "c-1234", total = 12.5, express = false, "order stored");
        }
    });
}
