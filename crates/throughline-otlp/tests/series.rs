//! Every measurement counts, and for its own series: on any thread, of any recorder, however many series there are.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::{collections::BTreeMap, sync::Arc, thread, time::Duration};

use throughline_core::{Metric, Recorder, Value, env::Environment};
use throughline_otlp::{Exporter, Protocol};
use throughline_receiver::{PointValue, Receiver};

const LONG: Duration = Duration::from_secs(20);
const SENT: &str = "messaging.client.sent.messages";

fn exporter(receiver: &Receiver) -> Exporter {
    throughline_otlp::builder("orders")
        .endpoint(&receiver.grpc_endpoint())
        .protocol(Protocol::Grpc)
        .environment(Environment::default())
        .build()
        .unwrap()
        .exporter
}

/// The totals of what arrived, each under its attributes as `key=value`.
fn totals(receiver: &Receiver) -> BTreeMap<String, f64> {
    let metrics = receiver.metrics();
    let points = metrics.iter().filter(|metric| metric.name == SENT).flat_map(|metric| &metric.points);
    let shown = points.map(|point| {
        let attributes: Vec<_> =
            point.attributes.iter().map(|(key, value)| format!("{key}={value:?}")).collect();
        let PointValue::Double(total) = point.value else { panic!("{point:?}") };
        (attributes.join(" "), total)
    });
    shown.collect()
}

#[test]
fn more_series_than_a_thread_keeps_are_all_counted_apart() {
    const SERIES: i64 = 400;
    const ROUNDS: usize = 3;
    let receiver = Receiver::start_blocking().unwrap();
    let exporter = exporter(&receiver);
    let recorder = exporter.recorder().unwrap();
    let record = |recorder: Arc<dyn Recorder>| {
        for _ in 0..ROUNDS {
            for number in 0..SERIES {
                let route = format!("/orders/{number}");
                let attributes = [("route", Value::Str(&route)), ("shard", Value::I64(number % 2))];
                recorder.record(Metric::MessagingSent, 1.0, &attributes);
            }
        }
    };
    let threads: Vec<_> = (0..3)
        .map(|_| {
            let recorder = Arc::clone(&recorder);
            thread::spawn(move || record(recorder))
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    exporter.shutdown_blocking(LONG);

    let totals = totals(&receiver);
    assert_eq!(totals.len(), SERIES as usize);
    assert!(totals.values().all(|total| *total == 9.0), "{totals:?}");
}

#[test]
fn series_that_look_alike_are_told_apart() {
    let receiver = Receiver::start_blocking().unwrap();
    let exporter = exporter(&receiver);
    let recorder = exporter.recorder().unwrap();
    let long = "x".repeat(1000);
    let series: &[&[(&'static str, Value<'_>)]] = &[
        &[],
        &[("a", Value::Str(""))],
        &[("a", Value::Str("1"))],
        &[("a", Value::I64(1))],
        &[("a", Value::Bool(true))],
        &[("a", Value::F64(1.0))],
        &[("b", Value::I64(1))],
        &[("a", Value::I64(1)), ("b", Value::I64(2))],
        &[("a", Value::I64(2)), ("b", Value::I64(1))],
        &[("a", Value::Str("xy")), ("b", Value::Str("z"))],
        &[("a", Value::Str("x")), ("b", Value::Str("yz"))],
        &[("a", Value::Str(&long))],
    ];
    for _ in 0..2 {
        for (place, attributes) in series.iter().enumerate() {
            recorder.record(Metric::MessagingSent, (place + 1) as f64, attributes);
            recorder.record(Metric::MessagingConsumed, 100.0, attributes);
        }
    }
    exporter.shutdown_blocking(LONG);

    let mut totals: Vec<_> = totals(&receiver).into_values().collect();
    totals.sort_by(f64::total_cmp);
    let expected: Vec<_> = (1..=series.len()).map(|place| 2.0 * place as f64).collect();
    assert_eq!(totals, expected);
}

#[test]
fn two_exporters_on_one_thread_do_not_share_series() {
    let attributes = [("route", Value::Str("/orders"))];
    for round in 1..=2 {
        let receiver = Receiver::start_blocking().unwrap();
        let exporter = exporter(&receiver);
        exporter.recorder().unwrap().record(Metric::MessagingSent, f64::from(round), &attributes);
        exporter.shutdown_blocking(LONG);
        assert_eq!(totals(&receiver).into_values().collect::<Vec<_>>(), [f64::from(round)]);
    }
}
