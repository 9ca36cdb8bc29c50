//! OTLP over HTTP, in both encodings.

use prost::Message as _;
use reqwest::{Method, StatusCode, header::HeaderMap};
use serde_json::{Value, json};
use throughline_receiver::{Compression, Outcome, Protocol, Receiver, Signal};

use crate::client::{JSON, PROTOBUF, RpcStatus, TestResult, export_http, gzip, post, spans};

fn json_span(name: &str) -> String {
    json!({"resourceSpans": [{"scopeSpans": [{"spans": [
        {"traceId": "ab".repeat(16), "spanId": "01".repeat(8), "name": name}
    ]}]}]})
    .to_string()
}

fn content_type(headers: &HeaderMap) -> &str {
    headers["content-type"].to_str().unwrap()
}

#[tokio::test]
async fn protobuf_is_answered_in_protobuf() -> TestResult {
    let receiver = Receiver::start().await?;
    let response = export_http(&receiver, &spans(&["a", "b"])).await?;
    assert_eq!((response.status(), content_type(response.headers())), (StatusCode::OK, PROTOBUF));
    assert!(response.bytes().await?.is_empty());
    let request = &receiver.requests()[0];
    assert_eq!(
        (request.protocol, request.signal, request.items),
        (Protocol::HttpProtobuf, Signal::Traces, 2)
    );
    assert_eq!((request.wire_bytes, request.outcome), (spans(&["a", "b"]).encoded_len(), Outcome::Accepted));
    Ok(())
}

#[tokio::test]
async fn json_is_answered_in_json() -> TestResult {
    let receiver = Receiver::start().await?;
    let response =
        post(&receiver, "/v1/traces", "Application/JSON; charset=utf-8", json_span("a")).send().await?;
    assert_eq!((response.status(), content_type(response.headers())), (StatusCode::OK, JSON));
    assert_eq!(response.text().await?, "{}");
    assert_eq!(receiver.spans()[0].name, "a");
    assert_eq!(receiver.requests()[0].protocol, Protocol::HttpJson);
    Ok(())
}

#[tokio::test]
async fn gzip_is_read() -> TestResult {
    let receiver = Receiver::start().await?;
    let body = gzip(json_span("zipped").as_bytes());
    let response =
        post(&receiver, "/v1/traces", JSON, body.clone()).header("content-encoding", "gzip").send().await?;
    assert_eq!(response.status(), 200);
    assert_eq!(receiver.spans()[0].name, "zipped");
    let request = &receiver.requests()[0];
    assert_eq!((request.compression, request.wire_bytes), (Compression::Gzip, body.len()));
    Ok(())
}

#[tokio::test]
async fn empty_requests_are_successes() -> TestResult {
    let receiver = Receiver::start().await?;
    for path in ["/v1/traces", "/v1/logs", "/v1/metrics"] {
        assert_eq!(post(&receiver, path, PROTOBUF, "").send().await?.status(), 200, "{path}");
        assert_eq!(post(&receiver, path, JSON, "{}").send().await?.status(), 200, "{path}");
    }
    assert!(receiver.requests().iter().all(|request| request.outcome == Outcome::Accepted));
    Ok(())
}

#[tokio::test]
async fn errors_are_statuses_in_the_content_type_of_the_request() -> TestResult {
    let receiver = Receiver::builder().request_bytes_max(2_000).start().await?;
    let long = "x".repeat(3_000);
    let zipped_long = gzip(spans(&[&long]).encode_to_vec().as_slice());
    let cut_short = gzip(b"hello")[..12].to_vec();
    let cases = [
        // name, content type, content encoding, body → HTTP status, gRPC code, part of the message
        ("not protobuf", PROTOBUF, "", vec![0xff; 5], 400, 3, "invalid protobuf"),
        ("not JSON", JSON, "", b"{".to_vec(), 400, 3, "invalid JSON"),
        ("no body at all as JSON", JSON, "", vec![], 400, 3, "invalid JSON"),
        (
            "other JSON",
            JSON,
            "",
            br#"{"resourceSpans": [{"scopeSpans": 1}]}"#.to_vec(),
            400,
            3,
            "resourceSpans[0].scopeSpans: expected an array",
        ),
        ("not gzip", PROTOBUF, "gzip", b"hello".to_vec(), 400, 3, "invalid gzip"),
        ("half of a gzip", PROTOBUF, "gzip", cut_short, 400, 3, "invalid gzip"),
        ("too large", PROTOBUF, "", spans(&[&long]).encode_to_vec(), 413, 8, "larger than 2000 bytes"),
        ("too large when unzipped", PROTOBUF, "gzip", zipped_long, 413, 8, "larger than 2000 bytes"),
        ("too large as JSON", JSON, "", json_span(&long).into_bytes(), 413, 8, "larger than 2000 bytes"),
        ("unknown content type", "text/plain", "", b"hello".to_vec(), 415, 3, "content type"),
        ("unknown compression", JSON, "br", b"{}".to_vec(), 415, 3, "gzip"),
    ];
    for (name, sent_type, encoding, body, status, code, message) in cases {
        let mut request = post(&receiver, "/v1/traces", sent_type, body);
        if !encoding.is_empty() {
            request = request.header("content-encoding", encoding);
        }
        let response = request.send().await?;
        assert_eq!(response.status(), status, "{name}");
        let answered_type = content_type(response.headers()).to_owned();
        assert_eq!(answered_type, if sent_type == PROTOBUF { PROTOBUF } else { JSON }, "{name}");
        let body = response.bytes().await?;
        let answer = if answered_type == PROTOBUF {
            RpcStatus::decode(body)?
        } else {
            let answer: Value = serde_json::from_slice(&body)?;
            let code = i32::try_from(answer["code"].as_i64().unwrap())?;
            RpcStatus { code, message: answer["message"].as_str().unwrap().to_owned(), details: vec![] }
        };
        assert_eq!(answer.code, code, "{name}");
        assert!(answer.message.contains(message), "{name}: {}", answer.message);
        assert_eq!(receiver.requests().last().unwrap().outcome, Outcome::Invalid, "{name}");
    }
    assert_eq!(receiver.spans().len(), 0);
    Ok(())
}

#[tokio::test]
async fn a_body_of_just_the_limit_is_taken() -> TestResult {
    let request = spans(&["a"]);
    let body = request.encode_to_vec();
    let receiver = Receiver::builder().request_bytes_max(body.len()).start().await?;
    assert_eq!(export_http(&receiver, &request).await?.status(), 200);
    let zipped = post(&receiver, "/v1/traces", PROTOBUF, gzip(&body)).header("content-encoding", "gzip");
    // gzip makes so short a body longer, so that it is the compressed form that is over the limit.
    assert_eq!(zipped.send().await?.status(), 413);
    Ok(())
}

#[tokio::test]
async fn other_methods_and_paths_are_not_found() -> TestResult {
    let receiver = Receiver::start().await?;
    let client = reqwest::Client::new();
    let get = client.request(Method::GET, format!("{}/v1/traces", receiver.http_endpoint())).send().await?;
    assert_eq!(get.status(), 405);
    assert_eq!(post(&receiver, "/v1/profiles", JSON, "{}").send().await?.status(), 404);
    assert_eq!(receiver.requests(), []);
    Ok(())
}
