//! Plain OpenTelemetry code beside `tracing`: a library on the API and a service of ours make one trace.
//!
//! ```text
//! cargo run -p examples --example opentelemetry_api
//! cargo run -p examples --example opentelemetry_api -- --layer opentelemetry
//! ```
//!
//! With a Collector on port 4318 you will see a log line about the order, and then `spans: 3 accepted, 3 exported`. In the
//! Collector, or in Jaeger behind it, they are one trace, whichever layer makes our spans of it:
//!
//! ```text
//! order                       a span of ours
//! └─ price                    a span of the library, by the API alone
//!    └─ look up the discount  a span of ours again
//! ```

use std::{
    error::Error,
    io::{self, Write},
    time::Duration,
};

use clap::{Parser, ValueEnum};
use throughline::{
    SpanLayerKind,
    otlp::sdk::opentelemetry::{
        KeyValue, global,
        trace::{TraceContextExt, Tracer},
    },
};
use tracing::{info, info_span, instrument};

#[derive(Parser)]
struct Arguments {
    /// What makes exported spans of those of `tracing`.
    #[arg(long, value_enum, default_value_t = Layer::Native)]
    layer: Layer,
}

#[derive(Clone, Copy, ValueEnum)]
enum Layer {
    Native,
    Opentelemetry,
}

fn main() -> Result<(), Box<dyn Error>> {
    let builder = throughline::builder("orders").opentelemetry_api();
    let telemetry = match Arguments::parse().layer {
        Layer::Native => builder,
        Layer::Opentelemetry => builder.span_layer(SpanLayerKind::OpenTelemetry),
    }
    .install()?;

    order(17);

    let report = telemetry.shutdown_blocking(Duration::from_secs(5));
    writeln!(io::stdout(), "{report}")?;
    if report.lost() > 0 { Err("telemetry was lost".into()) } else { Ok(()) }
}

/// Code of ours: the library is called inside this span, and takes it for its parent.
#[instrument]
fn order(id: u64) {
    let price = price(id, || info_span!("look up the discount").in_scope(|| 5));
    info!(price, "order accepted");
}

/// The library: it knows the OpenTelemetry API and neither `tracing` nor us. What it calls back is inside its span.
fn price(article: u64, discount: impl Fn() -> u64) -> u64 {
    global::tracer("pricing").in_span("price", |context| {
        let price = article * 10 - discount();
        context.span().set_attribute(KeyValue::new("price.cents", i64::try_from(price).unwrap_or(i64::MAX)));
        price
    })
}
