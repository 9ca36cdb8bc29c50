//! The relay as a process: what it passes on, and that a signal loses nothing.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::{
    io::{BufRead, BufReader},
    net::{SocketAddr, TcpListener},
    path::PathBuf,
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use throughline_receiver::{Receiver, SpanKind, TraceId};

const DEADLINE: Duration = Duration::from_secs(20);
const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

/// A running relay; killed when dropped.
struct Relay {
    child: Child,
    address: SocketAddr,
}

impl Relay {
    fn start(otlp: &str) -> Self {
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let mut child = Command::new(program())
            .args(["--listen", &address.to_string()])
            .env("OTEL_EXPORTER_OTLP_ENDPOINT", otlp)
            // Nothing leaves by itself: what arrives was flushed at the end.
            .env("OTEL_BSP_SCHEDULE_DELAY", "600000")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || stdout.lines().for_each(drop));
        let relay = Self { child, address };
        let deadline = Instant::now() + DEADLINE;
        while std::net::TcpStream::connect(address).is_err() {
            assert!(Instant::now() < deadline, "the relay does not listen");
            std::thread::yield_now();
        }
        relay
    }

    fn url(&self) -> String {
        format!("http://{}/relay", self.address)
    }

    fn end(mut self, signal: Signal) -> ExitStatus {
        let id = Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap();
        kill_process(id, signal).unwrap();
        let deadline = Instant::now() + DEADLINE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < deadline, "the relay does not end");
            std::thread::yield_now();
        }
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        let _already_gone = self.child.kill();
        let _status = self.child.wait();
    }
}

/// Cargo builds examples beside the tests that belong to them.
fn program() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    test.parent().unwrap().parent().unwrap().join("examples").join("relay")
}

#[tokio::test]
async fn a_trace_goes_through_and_a_signal_loses_no_span() {
    for signal in [Signal::TERM, Signal::INT] {
        let receiver = Receiver::start_blocking().unwrap();
        let (first, second) =
            (Relay::start(&receiver.http_endpoint()), Relay::start(&receiver.http_endpoint()));
        let answer = reqwest::Client::new()
            .post(first.url())
            .header("traceparent", format!("00-{TRACE}-b7ad6b7169203331-01"))
            .header("x-correlation-id", "c-1")
            .json(
                &json!([{ "url": second.url(), "arguments": [] }, { "url": second.url(), "arguments": [] }]),
            )
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["x-correlation-id"], "c-1");
        assert!(receiver.spans().is_empty(), "nothing was to leave before the end");

        assert!(first.end(signal).success());
        assert!(second.end(signal).success());
        let spans = receiver.trace(TraceId::from_hex(TRACE).unwrap()).spans;
        let of = |kind| spans.iter().filter(|span| span.kind == kind).count();
        assert_eq!((of(SpanKind::Server), of(SpanKind::Client), spans.len()), (3, 2, 5), "{signal:?}");
        assert!(spans.iter().all(|span| span.attribute("correlation.id").is_some_and(|id| *id == *"c-1")));
    }
}

#[test]
fn an_address_that_is_taken_or_makes_no_sense_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for listen in [address.as_str(), "nonsense"] {
        let output = Command::new(program()).args(["--listen", listen]).output().unwrap();
        assert!(!output.status.success());
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(error.contains(listen), "{error}");
    }
}
