//! What is kept, what is pushed out, what can be waited for.

use std::{sync::Arc, time::Duration};

use throughline_receiver::{Receiver, TraceId};

use crate::client::{JSON, SOON, TestResult, export_grpc, export_http, post, spans};

fn names(receiver: &Receiver) -> Vec<String> {
    receiver.spans().iter().map(|span| span.name.clone()).collect()
}

#[tokio::test]
async fn the_oldest_are_pushed_out_and_counted() -> TestResult {
    let receiver = Receiver::builder().spans_max(3).requests_max(2).start().await?;
    for batch in [&["a", "b"][..], &["c", "d"], &["e"]] {
        export_grpc(&receiver, spans(batch)).await?;
    }
    assert_eq!(names(&receiver), ["c", "d", "e"]);
    let (kept, dropped) = (receiver.counts(), receiver.dropped());
    assert_eq!((kept.spans, kept.requests), (3, 2));
    assert_eq!((dropped.spans, dropped.requests), (2, 1));
    let items: Vec<_> = receiver.requests().iter().map(|request| request.items).collect();
    assert_eq!(items, [2, 1]);

    receiver.clear();
    assert_eq!((names(&receiver).len(), receiver.requests().len(), receiver.dropped().spans), (0, 0, 0));
    export_grpc(&receiver, spans(&["f"])).await?;
    assert_eq!(names(&receiver), ["f"]);
    Ok(())
}

#[tokio::test]
async fn logs_and_metric_points_have_limits_of_their_own() -> TestResult {
    let receiver = Receiver::builder().logs_max(1).metric_points_max(2).start().await?;
    let logs = r#"{"resourceLogs": [{"scopeLogs": [{"logRecords": [{"severityText": "a"}, {"severityText": "b"}]}]}]}"#;
    post(&receiver, "/v1/logs", JSON, logs).send().await?;
    let metrics = r#"{"resourceMetrics": [{"scopeMetrics": [{"metrics": [
        {"name": "first", "gauge": {"dataPoints": [{"asInt": 1}]}},
        {"name": "second", "gauge": {"dataPoints": [{"asInt": 1}, {"asInt": 2}]}}
    ]}]}]}"#;
    post(&receiver, "/v1/metrics", JSON, metrics).send().await?;
    assert_eq!(receiver.logs()[0].severity_text, "b");
    assert_eq!(receiver.metrics()[0].name, "second");
    assert_eq!((receiver.counts().logs, receiver.counts().metric_points), (1, 2));
    assert_eq!((receiver.dropped().logs, receiver.dropped().metric_points), (1, 1));
    Ok(())
}

#[tokio::test]
async fn a_trace_is_found_by_its_id() -> TestResult {
    let receiver = Receiver::start().await?;
    export_http(&receiver, &spans(&["a", "b"])).await?;
    let mut other = spans(&["c"]);
    other.resource_spans[0].scope_spans[0].spans[0].trace_id = vec![0xcd; 16];
    export_http(&receiver, &other).await?;

    let ids = receiver.trace_ids();
    assert_eq!(ids, [TraceId::from_bytes([0xab; 16]), TraceId::from_bytes([0xcd; 16])]);
    let found: Vec<_> = receiver.trace(ids[0]).spans.iter().map(|span| span.name.clone()).collect();
    assert_eq!(found, ["a", "b"]);
    assert_eq!(receiver.trace(TraceId::from_bytes([1; 16])).spans.len(), 0);
    Ok(())
}

#[tokio::test]
async fn waiting_ends_when_the_last_one_arrives() -> TestResult {
    let receiver = Arc::new(Receiver::start().await?);
    let waiting = tokio::spawn({
        let receiver = Arc::clone(&receiver);
        // The condition may ask the receiver itself, too.
        async move {
            receiver.wait_for(|received| received.spans().len() + receiver.spans().len() >= 6, SOON).await
        }
    });
    for name in ["a", "b", "c"] {
        assert!(!waiting.is_finished());
        export_grpc(&receiver, spans(&[name])).await?;
    }
    waiting.await??;
    Ok(())
}

#[tokio::test]
async fn waiting_in_vain_says_what_arrived() -> TestResult {
    let receiver = Receiver::start().await?;
    export_grpc(&receiver, spans(&["a", "b"])).await?;
    let error = receiver.wait_for_spans(3, Duration::from_millis(20)).await.unwrap_err();
    assert_eq!(error.counts().spans, 2);
    let message =
        "not within 20ms: the receiver has 2 spans, 0 log records and 0 metric points from 1 requests";
    assert_eq!(error.to_string(), message);
    Ok(())
}

#[test]
fn waiting_in_vain_without_a_runtime() -> TestResult {
    let receiver = Receiver::start_blocking()?;
    assert!(receiver.wait_for_spans_blocking(1, Duration::from_millis(20)).is_err());
    receiver.wait_for_blocking(|received| received.spans().is_empty(), Duration::ZERO)?;
    Ok(())
}
