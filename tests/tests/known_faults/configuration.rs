//! What the environment says.

use throughline::core::env::Environment;

/// Starts with these variables; the warnings are what a log line would say.
fn warnings(variables: &[(&str, &str)]) -> Vec<String> {
    let environment = Environment::from_pairs(variables.iter().copied());
    let built = throughline::otlp::builder("orders").environment(environment).build().unwrap();
    built.warnings.iter().map(ToString::to_string).collect()
}

/// The SDK ignores `OTEL_SDK_DISABLED` (opentelemetry-rust#1936).
#[test]
fn disabled_means_disabled() {
    let receiver = throughline_testing::collector::Receiver::start_blocking().unwrap();
    let telemetry = throughline::builder("orders")
        .environment(Environment::from_pairs([("OTEL_SDK_DISABLED", "TRUE")]))
        .endpoint(&receiver.http_endpoint())
        .without_logs()
        .build()
        .unwrap();
    tracing::dispatcher::with_default(&telemetry.dispatch(), || drop(tracing::info_span!("order")));
    let report = telemetry.shutdown_blocking(std::time::Duration::from_secs(10));
    assert_eq!((report.export().accepted(), receiver.requests().len()), (0, 0), "{report}");
}

/// A bad value makes the start fail, or is passed over in silence.
#[test]
fn a_bad_value_is_named_and_the_service_starts() {
    for (name, value) in [
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "10s"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "smoke"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "nowhere at all"),
        ("OTEL_TRACES_SAMPLER", "sometimes"),
        ("OTEL_BSP_SCHEDULE_DELAY", "-1"),
        ("OTEL_SDK_DISABLED", "1"),
    ] {
        let warnings = warnings(&[(name, value)]);
        let [warning] = &warnings[..] else { panic!("{name}={value}: {warnings:?}") };
        assert!(warning.contains(name) && warning.contains(value) && warning.contains("using"), "{warning}");
    }
}

/// A timeout is read as seconds (init-tracing-opentelemetry).
#[test]
fn durations_are_milliseconds_and_empty_is_unset() {
    assert!(warnings(&[("OTEL_EXPORTER_OTLP_TIMEOUT", "2500"), ("OTEL_TRACES_SAMPLER", "")]).is_empty());
}

/// A secret in a variable is repeated in the warning about it.
#[test]
fn a_warning_quotes_no_credentials() {
    let warnings = warnings(&[("OTEL_EXPORTER_OTLP_HEADERS", "api-key s3cret")]);
    assert_eq!(warnings.len(), 1);
    assert!(!warnings[0].contains("s3cret"), "{warnings:?}");
}
