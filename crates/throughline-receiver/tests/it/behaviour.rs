//! Each misbehaviour, seen by a real client.

use std::{sync::Arc, time::Duration};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use prost::Message as _;
use throughline_receiver::{BadAnswer, Behaviour, Outcome, Received, Receiver, Refusal};
use tonic::Code;

use crate::client::{
    JSON, PROTOBUF, RpcStatus, SOON, TestResult, export_grpc, export_http, grpc, post, spans,
};

fn outcomes(receiver: &Receiver) -> Vec<Outcome> {
    receiver.requests().iter().map(|request| request.outcome).collect()
}

#[tokio::test]
async fn refusals_over_http() -> TestResult {
    let receiver = Receiver::start().await?;
    let cases = [
        (Refusal::retryable(), 503, 14, None),
        (Refusal::permanent(), 400, 3, None),
        (Refusal::retryable().retry_after(Duration::from_millis(1_200)), 503, 14, Some("2")),
        (Refusal::status(429, 8).retry_after(Duration::from_secs(3)), 429, 8, Some("3")),
        (Refusal::status(7, 99), 500, 99, None),
    ];
    for (refusal, status, code, retry_after) in cases {
        receiver.behave(Behaviour::Refuse(refusal));
        let response = export_http(&receiver, &spans(&["a"])).await?;
        assert_eq!(response.status(), status);
        let header = response.headers().get("retry-after").map(|value| value.to_str().unwrap().to_owned());
        assert_eq!(header.as_deref(), retry_after);
        assert_eq!(RpcStatus::decode(response.bytes().await?)?.code, code);
    }
    assert_eq!(outcomes(&receiver), [Outcome::Refused; 5]);
    assert_eq!(receiver.spans().len(), 0);
    Ok(())
}

#[tokio::test]
async fn refusals_over_grpc() -> TestResult {
    let receiver = Receiver::start().await?;
    receiver.behave(Behaviour::Refuse(Refusal::permanent()));
    let status = export_grpc(&receiver, spans(&["a"])).await.unwrap_err();
    assert_eq!((status.code(), status.details().len()), (Code::InvalidArgument, 0));

    receiver.behave(Behaviour::Refuse(Refusal::retryable().retry_after(Duration::from_millis(1_500))));
    let status = export_grpc(&receiver, spans(&["a"])).await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    let details = RpcStatus::decode(status.details())?;
    assert_eq!((details.code, details.message.as_str()), (14, status.message()));
    assert_eq!(details.details[0].type_url, "type.googleapis.com/google.rpc.RetryInfo");
    // RetryInfo { retry_delay = 1: Duration { seconds = 1: 1, nanos = 2: 500,000,000 } }
    assert_eq!(details.details[0].value, [0x0a, 8, 0x08, 1, 0x10, 0x80, 0xca, 0xb5, 0xee, 0x01]);
    Ok(())
}

#[tokio::test]
async fn the_next_requests_only() -> TestResult {
    let receiver = Receiver::start().await?;
    receiver.behave_next(2, Behaviour::Refuse(Refusal::retryable()));
    let mut answers = Vec::new();
    for _ in 0..3 {
        answers.push(export_http(&receiver, &spans(&["a"])).await?.status().as_u16());
    }
    assert_eq!(answers, [503, 503, 200]);
    assert_eq!(receiver.spans().len(), 1);
    Ok(())
}

#[tokio::test]
async fn a_hanging_request_waits_for_the_next_behaviour() -> TestResult {
    let receiver = Arc::new(Receiver::start().await?);
    receiver.behave(Behaviour::Hang);
    let http = tokio::spawn({
        let receiver = Arc::clone(&receiver);
        async move { export_http(&receiver, &spans(&["http"])).await }
    });
    let grpc = tokio::spawn({
        let receiver = Arc::clone(&receiver);
        async move { export_grpc(&receiver, spans(&["grpc"])).await }
    });
    receiver.wait_for(|received| received.counts().requests == 2, SOON).await?;
    assert_eq!(outcomes(&receiver), [Outcome::Pending; 2]);
    assert_eq!(receiver.spans().len(), 0);
    assert!(!http.is_finished() && !grpc.is_finished());

    receiver.behave(Behaviour::Accept);
    assert_eq!(http.await??.status(), 200);
    grpc.await??;
    assert_eq!(outcomes(&receiver), [Outcome::Accepted; 2]);
    assert_eq!(receiver.spans().len(), 2);
    Ok(())
}

#[tokio::test]
async fn nothing_is_stored_for_a_client_that_gave_up() -> TestResult {
    let receiver = Receiver::start().await?;
    receiver.behave(Behaviour::Hang);
    let body = spans(&["late"]).encode_to_vec();
    let impatient =
        post(&receiver, "/v1/traces", PROTOBUF, body).timeout(Duration::from_millis(50)).send().await;
    assert!(impatient.unwrap_err().is_timeout());
    let mut client = grpc(&receiver).await?;
    let mut request = tonic::Request::new(spans(&["late"]));
    request.set_timeout(Duration::from_millis(50));
    assert!(client.export(request).await.is_err());

    let abandoned = [Outcome::Abandoned; 2];
    let both = |received: &Received| received.requests().iter().map(|request| request.outcome).eq(abandoned);
    receiver.wait_for(both, SOON).await?;
    receiver.behave(Behaviour::Accept);
    assert_eq!(export_http(&receiver, &spans(&["fresh"])).await?.status(), 200);
    assert_eq!(receiver.spans().iter().map(|span| span.name.clone()).collect::<Vec<_>>(), ["fresh"]);
    assert_eq!(outcomes(&receiver), [Outcome::Abandoned, Outcome::Abandoned, Outcome::Accepted]);
    Ok(())
}

#[tokio::test]
async fn slow_accepts_late() -> TestResult {
    let receiver = Receiver::start().await?;
    let delay = Duration::from_millis(40);
    receiver.behave(Behaviour::Slow(delay));
    let begin = std::time::Instant::now();
    export_grpc(&receiver, spans(&["a"])).await?;
    assert!(begin.elapsed() >= delay);
    assert_eq!(outcomes(&receiver), [Outcome::Accepted]);
    Ok(())
}

#[tokio::test]
async fn a_part_is_rejected() -> TestResult {
    let receiver = Receiver::start().await?;
    receiver.behave(Behaviour::PartialSuccess { rejected: 2, message: "no room".to_owned() });
    let answer = export_grpc(&receiver, spans(&["a", "b", "c"])).await?.into_inner().partial_success.unwrap();
    assert_eq!((answer.rejected_spans, answer.error_message.as_str()), (2, "no room"));
    assert_eq!(receiver.spans().iter().map(|span| span.name.clone()).collect::<Vec<_>>(), ["a"]);

    // More than there are, and in JSON; each signal has its own name for the number.
    let metric = r#"{"name": "m", "gauge": {"dataPoints": [{"asInt": "1"}]}}"#;
    let body = format!(r#"{{"resourceMetrics": [{{"scopeMetrics": [{{"metrics": [{metric}]}}]}}]}}"#);
    let response = post(&receiver, "/v1/metrics", JSON, body).send().await?;
    let answer: serde_json::Value = serde_json::from_slice(&response.bytes().await?)?;
    assert_eq!(
        answer,
        serde_json::json!({"partialSuccess": {"rejectedDataPoints": "1", "errorMessage": "no room"}})
    );
    assert_eq!(receiver.metrics(), []);
    assert_eq!(outcomes(&receiver), [Outcome::PartlyAccepted; 2]);
    Ok(())
}

#[tokio::test]
async fn a_connection_is_cut_without_an_answer() -> TestResult {
    let receiver = Receiver::start().await?;
    receiver.behave_next(2, Behaviour::Disconnect);
    let error = export_http(&receiver, &spans(&["a"])).await.unwrap_err();
    assert!(error.is_request() && error.status().is_none(), "{error:?}");
    export_grpc(&receiver, spans(&["a"])).await.unwrap_err();
    export_grpc(&receiver, spans(&["a"])).await?;
    assert_eq!(outcomes(&receiver), [Outcome::Disconnected, Outcome::Disconnected, Outcome::Accepted]);
    Ok(())
}

#[tokio::test]
async fn a_bad_answer_is_a_success_that_nobody_can_read() -> TestResult {
    let receiver = Receiver::start().await?;
    receiver.behave_in_turn([
        Behaviour::AnswerBadly(BadAnswer::WrongContentType),
        Behaviour::AnswerBadly(BadAnswer::Truncated),
        Behaviour::AnswerBadly(BadAnswer::Huge(100_000)),
    ]);
    let mut answers = Vec::new();
    for _ in 0..4 {
        let response = export_http(&receiver, &spans(&["a"])).await?;
        let content_type = response.headers()["content-type"].to_str()?.to_owned();
        let status = response.status().as_u16();
        let body = response.bytes().await?;
        let readable = ExportTraceServiceResponse::decode(&*body).is_ok();
        answers.push((status, content_type, body.len() > 100_000, readable));
    }
    let protobuf = || PROTOBUF.to_owned();
    assert_eq!(
        answers,
        [
            (200, "text/html; charset=utf-8".to_owned(), false, false),
            (200, protobuf(), false, false),
            (200, protobuf(), true, true),
            (200, protobuf(), false, true),
        ]
    );
    assert_eq!(outcomes(&receiver), [Outcome::Accepted; 4]);
    assert_eq!(receiver.spans().len(), 4);
    Ok(())
}

#[tokio::test]
async fn bad_answers_over_grpc() -> TestResult {
    let receiver = Receiver::start().await?;
    // More than a client of tonic reads of one message.
    let too_much = 5 << 20;
    receiver.behave_in_turn([
        Behaviour::AnswerBadly(BadAnswer::WrongContentType),
        Behaviour::AnswerBadly(BadAnswer::Truncated),
        Behaviour::AnswerBadly(BadAnswer::Huge(too_much)),
        Behaviour::AnswerBadly(BadAnswer::Huge(10)),
    ]);
    for code in [Code::Internal, Code::Internal, Code::OutOfRange] {
        assert_eq!(export_grpc(&receiver, spans(&["a"])).await.unwrap_err().code(), code);
    }
    let warned = export_grpc(&receiver, spans(&["a"])).await?.into_inner().partial_success.unwrap();
    assert_eq!((warned.rejected_spans, warned.error_message.len()), (0, 10));
    assert_eq!(outcomes(&receiver), [Outcome::Accepted; 4]);
    Ok(())
}

#[tokio::test]
async fn each_request_has_its_turn() -> TestResult {
    let receiver = Receiver::start().await?;
    receiver.behave_in_turn([
        Behaviour::Refuse(Refusal::retryable().retry_after(Duration::from_secs(1))),
        Behaviour::Slow(Duration::from_millis(5)),
        Behaviour::PartialSuccess { rejected: 1, message: "no room".to_owned() },
        Behaviour::Disconnect,
    ]);
    for _ in 0..5 {
        drop(export_http(&receiver, &spans(&["a"])).await);
    }
    assert_eq!(
        outcomes(&receiver),
        [
            Outcome::Refused,
            Outcome::Accepted,
            Outcome::PartlyAccepted,
            Outcome::Disconnected,
            Outcome::Accepted
        ]
    );
    Ok(())
}
