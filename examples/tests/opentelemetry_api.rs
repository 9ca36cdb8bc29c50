//! The example as a process, under each span layer: one trace of spans by two libraries.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::{path::PathBuf, process::Command};

use throughline_receiver::Receiver;

/// Cargo builds examples beside the tests that belong to them.
fn program() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    test.parent().unwrap().parent().unwrap().join("examples").join("opentelemetry_api")
}

#[test]
fn the_library_and_the_service_make_one_trace() {
    for layer in ["native", "opentelemetry"] {
        let receiver = Receiver::start_blocking().unwrap();
        let output = Command::new(program())
            .args(["--layer", layer])
            .env("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.http_endpoint())
            .output()
            .unwrap();
        let printed = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{layer}: {printed}");
        assert!(printed.contains("spans: 3 accepted, 3 exported"), "{layer}: {printed}");

        let spans = receiver.spans();
        let named = |name: &str| spans.iter().find(|span| span.name == name).unwrap();
        let (order, price, discount) = (named("order"), named("price"), named("look up the discount"));
        assert_eq!(order.parent_span_id, None, "{layer}");
        assert_eq!(price.parent_span_id, Some(order.span_id), "{layer}");
        assert_eq!(discount.parent_span_id, Some(price.span_id), "{layer}");
        assert!(price.attribute("otel.scope.name").is_some_and(|name| *name == *"pricing"), "{layer}");
        let line = printed.lines().find(|line| line.contains("order accepted")).unwrap();
        assert!(line.contains(&order.trace_id.to_string()), "{layer}: {line}");
    }
}
