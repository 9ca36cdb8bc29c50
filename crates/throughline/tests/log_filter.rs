//! The log filter changed while the program runs: by a call, over HTTP, and from another thread.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::time::Duration;

use axum::{Router, body::Body, extract::Request};
use throughline::{Builder, core::env::Environment, logs::Output};
use tower::ServiceExt;
use tracing::{debug, info, info_span};

fn builder() -> Builder {
    let variables = [("OTEL_SDK_DISABLED", "true"), ("RUST_LOG", "info"), ("THROUGHLINE_SPANS", "info")];
    throughline::builder("orders").environment(Environment::from_pairs(variables))
}

#[test]
fn a_change_holds_for_the_next_event_of_the_same_call_site() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("orders.jsonl");
    let telemetry = builder().log_output(Output::file(&file)).build().unwrap();
    let guard = tracing::dispatcher::set_default(&telemetry.dispatch());
    let work = |phase| {
        let _span = info_span!("work").entered();
        debug!(target: "orders::api", "detail {phase}");
        info!("usual {phase}");
    };
    work(1);
    telemetry.log_filter("warn,orders=debug").unwrap();
    work(2);
    let error = telemetry.log_filter("orders=loud").unwrap_err();
    assert_eq!(error.to_string(), "not of the form LEVEL,TARGET=LEVEL,…");
    work(3);
    std::thread::scope(|scope| scope.spawn(|| telemetry.log_filter("off").unwrap()).join().unwrap());
    work(4);
    telemetry.log_filter("trace").unwrap();
    work(5);
    drop(guard);
    telemetry.shutdown_blocking(Duration::from_secs(20));
    let lines = std::fs::read_to_string(file).unwrap();
    let parsed = lines.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let messages: Vec<_> = parsed.map(|line| line["message"].as_str().unwrap().to_owned()).collect();
    assert_eq!(messages, ["usual 1", "detail 2", "detail 3", "detail 5", "usual 5"]);
}

async fn ask(app: &Router, method: &str, body: &str) -> (u16, String) {
    let request =
        Request::builder().method(method).uri("/log-filter").body(Body::from(body.to_owned())).unwrap();
    let response = app.clone().oneshot(request).await.unwrap();
    let status = response.status().as_u16();
    let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

#[tokio::test]
async fn the_route_shows_and_sets_the_filter_and_refuses_a_bad_one() {
    let telemetry = builder().without_logs().build().unwrap();
    let route = throughline::log_filter_route(telemetry.log_filter_handle());
    let app = Router::new().route("/log-filter", route);
    for (method, body, status, answer) in [
        ("GET", "", 200, "info\n"),
        ("PUT", "warn,orders=debug\n", 200, "orders=debug,warn\n"),
        ("GET", "", 200, "orders=debug,warn\n"),
        ("PUT", "orders=loud", 400, "not of the form LEVEL,TARGET=LEVEL,…\n"),
        ("PUT", "", 400, "an empty filter; off turns everything off\n"),
        (
            "PUT",
            "[span]=info",
            400,
            "a filter by span or field; only LEVEL and TARGET=LEVEL are known here\n",
        ),
        ("GET", "", 200, "orders=debug,warn\n"),
        ("POST", "info", 405, ""),
    ] {
        assert_eq!(ask(&app, method, body).await, (status, answer.to_owned()), "{method} {body}");
    }
    assert_eq!(ask(&app, "PUT", &"a".repeat(10_000)).await.0, 413);
    assert_eq!(telemetry.log_filter_handle().to_string(), "orders=debug,warn");
}
