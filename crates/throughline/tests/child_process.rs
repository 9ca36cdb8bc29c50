//! A process and the one that it starts are one trace with one correlation id.
//!
//! The test starts its own program as the child, so it has a `main` in place of a harness.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a test may panic, and says that it passed")]

use std::{env::args, error::Error, process::Command, time::Duration};

use throughline::{
    Baggage, Context, CorrelationId, SpanExt,
    core::{env::Environment, with_remote},
    otlp::Protocol,
};
use throughline_receiver::Receiver;

const LONG: Duration = Duration::from_secs(20);

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<_> = args().collect();
    match arguments.iter().position(|argument| argument == "--child") {
        Some(place) => child(arguments.get(place + 1).ok_or("no endpoint")?),
        None => parent(),
    }
}

fn parent() -> Result<(), Box<dyn Error>> {
    for formats in ["tracecontext,baggage", "b3,baggage", "b3multi,baggage", "jaeger,baggage", "xray,baggage"]
    {
        let receiver = Receiver::start_blocking()?;
        let variables = Environment::from_pairs([("OTEL_PROPAGATORS", formats)]);
        let telemetry = throughline::builder("parent")
            .environment(variables)
            .protocol(Protocol::Grpc)
            .endpoint(&receiver.grpc_endpoint())
            .without_logs()
            .build()?;
        tracing::dispatcher::with_default(&telemetry.dispatch(), || start_child(&receiver, formats))?;
        telemetry.shutdown_blocking(LONG);

        let spans = receiver.spans();
        let named = |name: &str| spans.iter().find(|span| span.name == name).unwrap();
        let (start, import) = (named("start"), named("import"));
        assert_eq!(import.trace_id, start.trace_id, "{formats}");
        assert_eq!(import.parent_span_id, Some(start.span_id), "{formats}");
        let attribute = |key| import.attribute(key).and_then(|value| value.as_str()).map(str::to_owned);
        assert_eq!(attribute("correlation"), Some("order-1".to_owned()), "{formats}");
        assert_eq!(attribute("tenant"), Some("blue".to_owned()), "{formats}");
        println!("{formats}: one trace");
    }
    Ok(())
}

fn start_child(receiver: &Receiver, formats: &str) -> Result<(), Box<dyn Error>> {
    let context = Context::default()
        .with_correlation_id(CorrelationId::parse(b"order-1").ok_or("no id")?)
        .with_baggage(Baggage::default().insert("tenant", "blue")?);
    let span = with_remote(&context, || tracing::info_span!("start"));
    let _start = span.enter();
    let mut child = Command::new(std::env::current_exe()?);
    child.args(["--child", &receiver.grpc_endpoint()]);
    child.env_clear().envs(throughline::process::child_env()).env("OTEL_PROPAGATORS", formats);
    assert!(child.status()?.success());
    Ok(())
}

fn child(endpoint: &str) -> Result<(), Box<dyn Error>> {
    let telemetry =
        throughline::builder("child").protocol(Protocol::Grpc).endpoint(endpoint).without_logs().build()?;
    tracing::dispatcher::with_default(&telemetry.dispatch(), || {
        let parent = throughline::process::parent();
        let span = with_remote(&parent, || tracing::info_span!("import"));
        let context = span.context();
        let correlation = context.correlation_id().map_or("", CorrelationId::as_str);
        span.set_attribute("correlation", correlation);
        span.set_attribute("tenant", context.baggage().get("tenant").unwrap_or_default());
    });
    telemetry.shutdown_blocking(LONG);
    Ok(())
}
