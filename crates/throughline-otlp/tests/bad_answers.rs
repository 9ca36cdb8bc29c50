//! A Collector that took the spans and answers nonsense: nothing is sent twice, nothing is lost, nothing is read without end.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::time::Duration;

use throughline_core::{ContextLayer, Pipeline, env::Environment};
use throughline_otlp::{Built, Protocol, Report, Signal, SpanLayer};
use throughline_receiver::{BadAnswer, Behaviour, Receiver};
use tracing::{Dispatch, dispatcher, info_span};
use tracing_subscriber::{prelude::*, registry};

const LONG: Duration = Duration::from_secs(20);
/// More than an exporter should ever read of an answer.
const HUGE: usize = 64 << 20;

/// Sends one span to a Collector that answers so, and says what the exporter makes of it and how often the span arrived.
fn send_one(protocol: Protocol, bad: BadAnswer) -> (Report, usize) {
    let receiver = Receiver::start_blocking().unwrap();
    receiver.behave(Behaviour::AnswerBadly(bad));
    let endpoint = match protocol {
        Protocol::Grpc => receiver.grpc_endpoint(),
        _ => receiver.http_endpoint(),
    };
    let builder = throughline_otlp::builder("orders").endpoint(&endpoint).protocol(protocol);
    let Built { exporter, sampler, limits, .. } =
        builder.metrics(Signal::Off).environment(Environment::default()).build().unwrap();
    let context = ContextLayer::new(Pipeline::builder().sampler(sampler).build());
    let spans = SpanLayer::new(exporter.sink()).limits(limits);
    let dispatch = Dispatch::new(registry().with(context).with(spans));
    dispatcher::with_default(&dispatch, || drop(info_span!("work")));
    let report = exporter.shutdown_blocking(LONG);
    (report, receiver.spans().len())
}

#[test]
fn a_status_of_success_is_one_whatever_stands_below_it() {
    for bad in [BadAnswer::WrongContentType, BadAnswer::Truncated] {
        let (report, arrived) = send_one(Protocol::HttpProtobuf, bad);
        assert_eq!((report.exported(), report.lost(), arrived), (1, 0, 1), "{bad:?}: {report}");
    }
}

#[test]
fn a_call_without_a_readable_answer_is_not_repeated() {
    for bad in [BadAnswer::WrongContentType, BadAnswer::Truncated] {
        let (report, arrived) = send_one(Protocol::Grpc, bad);
        assert_eq!((report.exported() + report.lost(), arrived), (1, 1), "{bad:?}: {report}");
    }
}

/// Nobody knows what it would have said: the specification has it count as an error that must not be tried again.
#[test]
fn an_answer_that_is_too_large_is_counted_and_not_asked_for_again() {
    for protocol in [Protocol::Grpc, Protocol::HttpProtobuf] {
        let (report, arrived) = send_one(protocol, BadAnswer::Huge(HUGE));
        assert_eq!((report.exported(), report.lost(), arrived), (0, 1, 1), "{protocol:?}: {report}");
    }
}
