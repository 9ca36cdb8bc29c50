//! Requests, answers, and what is told of them.

use std::{collections::BTreeMap, future::poll_fn, io, pin::Pin, task::Poll};

use http::{Request, Response};
use throughline_core::Metric;
use throughline_testing::Capture;
use tracing::Instrument;

pub(crate) type Answer = Result<Response<()>, io::Error>;

pub(crate) fn answer(status: u16) -> Answer {
    Ok(Response::builder().status(status).body(()).unwrap())
}

pub(crate) fn request() -> Request<()> {
    Request::get("http://users.test/users/7").body(()).unwrap()
}

/// Runs `work` in a span, and returns its attributes of ours, as text.
pub(crate) async fn told<T>(capture: &Capture, work: impl Future<Output = T>) -> (T, String) {
    told_of("", capture, work).await
}

/// Those of one pattern alone.
pub(crate) async fn told_of<T>(
    pattern: &str,
    capture: &Capture,
    work: impl Future<Output = T>,
) -> (T, String) {
    let prefix = format!("throughline.{pattern}");
    let result = work.instrument(tracing::info_span!("caller")).await;
    let spans = capture.spans();
    let span = spans.iter().rev().find(|span| span.name == "caller").unwrap();
    let attributes: BTreeMap<_, _> = span
        .attributes
        .iter()
        .filter_map(|(key, value)| Some((key.strip_prefix(prefix.as_str())?, value.to_string())))
        .collect();
    let text: Vec<_> = attributes.iter().map(|(key, value)| format!("{key}={value}")).collect();
    (result, text.join(" "))
}

pub(crate) fn decisions(capture: &Capture) -> Vec<String> {
    let text = |one: &throughline_testing::Measurement| {
        one.attributes.iter().map(|(_, value)| value.as_str()).collect::<Vec<_>>().join(" ")
    };
    capture.measurements(Metric::ResilienceDecisions).iter().map(text).collect()
}

pub(crate) fn messages(capture: &Capture) -> Vec<String> {
    capture.lines().iter().map(|line| line["message"].as_str().unwrap().to_owned()).collect()
}

/// Polls once.
pub(crate) async fn polled<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    let mut future = Some(future);
    poll_fn(|cx| Poll::Ready(future.take().unwrap().poll(cx))).await
}
