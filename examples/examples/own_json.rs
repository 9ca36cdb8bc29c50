//! Write log lines as your log store wants them: a preset, with names of your own.
//!
//! ```text
//! cargo run -p examples --example own_json
//! ```
//!
//! You will see the same event three times: as it is written unless you say something, as Google Cloud reads it, and with
//! keys in camel case of which two have other names.

#![expect(clippy::print_stdout, reason = "explains what comes")]

use std::{error::Error, time::Duration};

use throughline::{
    Builder,
    logs::{Format, KeyCase},
    otlp::Signal,
};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    println!("the default:");
    write(throughline::builder("orders")).await?;
    println!("as Google Cloud reads it:");
    write(throughline::builder("orders").log_format(Format::Gcp)).await?;
    println!("with keys of our own:");
    write(with_own_keys(throughline::builder("orders"))).await?;
    Ok(())
}

/// The names are those that the preset uses; fields of events can be renamed as well.
fn with_own_keys(builder: Builder) -> Builder {
    builder.log_lines(|lines| {
        lines.key_case(KeyCase::Camel).rename("timestamp", "@timestamp").rename("level", "severity")
    })
}

/// Not `install`: three pipelines take turns in this program, where a service has one.
async fn write(builder: Builder) -> Result<(), Box<dyn Error>> {
    let telemetry = builder.traces(Signal::Off).metrics(Signal::Off).build()?;
    tracing::dispatcher::with_default(&telemetry.dispatch(), || {
        tracing::info!(order.id = 7, item_count = 3, "order stored");
    });
    telemetry.shutdown(Duration::from_secs(5)).await;
    Ok(())
}
