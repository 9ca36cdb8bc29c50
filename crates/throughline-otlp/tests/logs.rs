//! From an event to a log record at a Collector: what it tells, where it goes, what is lost, and what the report says.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::{
    sync::{Arc, atomic::AtomicU64},
    time::Duration,
};

use throughline_core::{
    Baggage, BaggageFields, Clock, Context, ContextLayer, CorrelationId, DIAGNOSTICS_TARGET, Filters,
    PANIC_TARGET, Pipeline, SpanExt, env::Environment, suppress,
};
use throughline_otlp::{
    Counts, DropReason, EventTarget, Exporter, ExporterBuilder, LogLayer, LogLimits, Protocol, Signal,
    SpanLayer,
};
use throughline_receiver::{AttributeValue, Behaviour, LogRecord, Receiver, Refusal};
use tracing::{Dispatch, debug, dispatcher, error, field::Empty, info, info_span, trace, warn};
use tracing_subscriber::{prelude::*, registry};

const LONG: Duration = Duration::from_secs(20);
const TIME: u64 = 1_795_512_600_123_456_789;

/// An exporter with these variables, and a subscriber whose spans and events it takes.
fn pipeline(builder: ExporterBuilder, variables: &[(&str, &str)]) -> (Exporter, Dispatch) {
    let built = builder
        .environment(Environment::from_pairs(variables.iter().copied()))
        .metrics(Signal::Off)
        .schedule_delay(Duration::from_millis(20))
        .log_schedule_delay(Duration::from_millis(20))
        .build()
        .unwrap();
    assert!(built.warnings.is_empty(), "{:?}", built.warnings);
    let context = ContextLayer::new(Pipeline::builder().sampler(built.sampler).build());
    let spans = SpanLayer::new(built.exporter.sink()).limits(built.limits).events(built.events);
    let clock = Clock::fixed(Arc::new(AtomicU64::new(TIME)));
    let logs = built.exporter.log_sink().filter(|_| built.events.is_log_record());
    let logs = logs.map(|sink| LogLayer::new(sink).limits(built.log_limits).clock(clock).filters(all()));
    (built.exporter, Dispatch::new(registry().with(context).with(spans).with(logs)))
}

fn all() -> Filters {
    Filters::new("trace".parse().unwrap(), "trace".parse().unwrap())
}

fn exporter(endpoint: &str, protocol: Protocol) -> ExporterBuilder {
    throughline_otlp::builder("orders").endpoint(endpoint).protocol(protocol).logs(Signal::On)
}

/// The records of `work`, over HTTP.
fn records(set: impl FnOnce(ExporterBuilder) -> ExporterBuilder, work: impl FnOnce()) -> Vec<Arc<LogRecord>> {
    let receiver = Receiver::start_blocking().unwrap();
    let (exporter, dispatch) =
        pipeline(set(exporter(&receiver.http_endpoint(), Protocol::HttpProtobuf)), &[]);
    dispatcher::with_default(&dispatch, work);
    let report = exporter.shutdown_blocking(LONG);
    assert_eq!(report.lost(), 0, "{report}");
    receiver.logs()
}

/// `accepted = exported + rejected + dropped + queued + in flight`.
fn assert_conserved(counts: &Counts, accepted: u64) {
    assert_eq!(counts.accepted(), accepted, "{counts}");
    let accounted = counts.exported() + counts.lost() + counts.queued() + counts.in_flight();
    assert_eq!(accounted, accepted, "{counts}");
}

fn make_events(dispatch: &Dispatch, count: usize) {
    dispatcher::with_default(dispatch, || {
        for number in 0..count {
            info!(number, "event");
        }
    });
}

#[test]
fn every_record_arrives_over_either_protocol() {
    let receiver = Receiver::start_blocking().unwrap();
    for (endpoint, protocol) in
        [(receiver.grpc_endpoint(), Protocol::Grpc), (receiver.http_endpoint(), Protocol::HttpProtobuf)]
    {
        receiver.clear();
        let (exporter, dispatch) =
            pipeline(exporter(&endpoint, protocol).resource("deployment", "test"), &[]);
        make_events(&dispatch, 1_000);
        let report = exporter.shutdown_blocking(LONG);
        assert_conserved(report.logs(), 1_000);
        assert_eq!((report.logs().exported(), report.accepted()), (1_000, 0), "{report}");

        let logs = receiver.logs();
        assert_eq!(logs.len(), 1_000);
        let first = logs.first().unwrap();
        assert_eq!((first.service(), first.scope.name.as_str()), ("orders", "throughline"));
        assert_eq!(first.resource.attributes.get("deployment"), Some(&"test".into()));
        for schema in [&first.scope.schema_url, &first.resource.schema_url] {
            assert_eq!(schema, throughline_core::semconv::SCHEMA_URL);
        }
    }
}

#[test]
fn a_record_tells_what_the_event_told() {
    let correlation = Context::default().with_correlation_id(CorrelationId::parse(b"ticket-4711").unwrap());
    let mut ids = None;
    let logs = records(
        |builder| builder,
        || {
            let _caller = correlation.enter();
            let outer =
                info_span!("outer", user = "ada", shard = 1, otel.name = "GET /", late = Empty).entered();
            outer.record("late", 201);
            let inner = info_span!("inner", shard = 2).entered();
            ids = inner.context().span().map(|span| (span.trace_id(), span.span_id(), span.flags()));
            info!(
                name: "order.accepted", target: "orders::api", total = 12.5, express = true, count = -7, most = u64::MAX,
                raw = [1_u8, 2].as_slice(), shown = ?Some(1), otel.hidden = 1, "order {} accepted", 7
            );
        },
    );
    let [log] = logs.as_slice() else { panic!("{logs:?}") };
    let (trace_id, span_id, flags) = ids.unwrap();
    assert_eq!(log.trace_id.unwrap().to_string(), trace_id.to_string());
    assert_eq!(log.span_id.unwrap().to_string(), span_id.to_string());
    assert_eq!(log.flags, u32::from(flags.byte()));
    assert_eq!((log.time_unix_nanos, log.observed_unix_nanos), (TIME, TIME));
    assert_eq!((log.severity_number, log.severity_text.as_str()), (9, "INFO"));
    assert_eq!(log.body, *"order 7 accepted");
    assert_eq!(log.event_name, "order.accepted");
    let expected: [(&str, AttributeValue); 11] = [
        ("target", "orders::api".into()),
        ("total", AttributeValue::Double(12.5)),
        ("express", AttributeValue::Bool(true)),
        ("count", AttributeValue::Int(-7)),
        ("most", "18446744073709551615".into()),
        ("raw", AttributeValue::Bytes(vec![1, 2])),
        ("shown", "Some(1)".into()),
        ("shard", AttributeValue::Int(2)),
        ("user", "ada".into()),
        ("late", AttributeValue::Int(201)),
        ("correlation.id", "ticket-4711".into()),
    ];
    for (key, value) in &expected {
        assert_eq!(log.attribute(key), Some(value), "{key}");
    }
    assert_eq!(log.attributes.iter().count(), expected.len(), "{log:?}");
}

#[test]
fn severities_are_the_lowest_of_their_range_and_a_panic_is_fatal() {
    let logs = records(
        |builder| builder,
        || {
            trace!("a");
            debug!("b");
            info!("c");
            warn!("d");
            error!("e");
            error!(target: PANIC_TARGET, "f");
        },
    );
    let mut severities: Vec<_> =
        logs.iter().map(|log| (log.severity_number, log.severity_text.as_str())).collect();
    severities.sort_unstable();
    assert_eq!(
        severities,
        [(1, "TRACE"), (5, "DEBUG"), (9, "INFO"), (13, "WARN"), (17, "ERROR"), (21, "FATAL")]
    );
}

#[test]
fn an_event_outside_of_spans_and_one_without_a_message_are_records_too() {
    let logs = records(|builder| builder, || info!(only = "fields"));
    let [log] = logs.as_slice() else { panic!("{logs:?}") };
    assert_eq!((log.trace_id, log.span_id, log.flags), (None, None, 0));
    assert_eq!((&log.body, log.event_name.as_str()), (&AttributeValue::Empty, ""));
    assert_eq!(log.attribute("only"), Some(&"fields".into()));
}

#[test]
fn an_explicit_parent_gives_ids_and_fields() {
    let logs = records(
        |builder| builder,
        || {
            let named = info_span!("named", which = "named");
            let _entered = info_span!("entered", which = "entered").entered();
            info!(parent: &named, id = %named.context().span().unwrap().span_id(), "by name");
        },
    );
    let log = logs.first().unwrap();
    assert_eq!(log.attribute("which"), Some(&"named".into()));
    assert_eq!(log.attribute("id"), Some(&log.span_id.unwrap().to_string().as_str().into()));
}

#[test]
fn limits_come_from_the_code_or_the_environment_and_are_counted_on_the_record() {
    let work = || {
        let _span = info_span!("span", c = 3, d = 4).entered();
        info!(a = "12345", b = 2, "a body of any length");
    };
    let in_code =
        records(|builder| builder.log_limits(LogLimits::default().attributes(3).value_chars(Some(4))), work);
    let receiver = Receiver::start_blocking().unwrap();
    let variables =
        [("OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT", "3"), ("OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT", "4")];
    let (exporter, dispatch) =
        pipeline(exporter(&receiver.http_endpoint(), Protocol::HttpProtobuf), &variables);
    dispatcher::with_default(&dispatch, work);
    exporter.shutdown_blocking(LONG);
    for log in [in_code.first().unwrap(), receiver.logs().first().unwrap()] {
        assert_eq!(log.attribute("a"), Some(&"1234".into()));
        assert_eq!((log.attributes.iter().count(), log.dropped_attributes_count), (3, 2), "{log:?}");
        assert_eq!(log.body, *"a body of any length");
    }
}

#[test]
fn an_event_goes_one_way_unless_both_are_asked_for() {
    use EventTarget::{Both, LogRecord, SpanEvent};
    let otlp = ("OTEL_LOGS_EXPORTER", "otlp");
    let none = ("OTEL_LOGS_EXPORTER", "none");
    for (variables, target, on_span, as_record) in [
        (vec![], None, 1, 0),
        (vec![none], None, 1, 0),
        (vec![otlp], None, 0, 1),
        (vec![otlp], Some(SpanEvent), 1, 0),
        (vec![otlp], Some(LogRecord), 0, 1),
        (vec![otlp], Some(Both), 1, 1),
        // Without log records nothing may be lost.
        (vec![], Some(LogRecord), 1, 0),
        // Nothing is exported at all.
        (vec![otlp, ("OTEL_SDK_DISABLED", "true")], None, 0, 0),
    ] {
        let receiver = Receiver::start_blocking().unwrap();
        let mut builder = throughline_otlp::builder("orders")
            .endpoint(&receiver.http_endpoint())
            .protocol(Protocol::HttpProtobuf);
        if let Some(target) = target {
            builder = builder.events(target);
        }
        let (exporter, dispatch) = pipeline(builder, &variables);
        dispatcher::with_default(&dispatch, || {
            let _span = info_span!("span").entered();
            info!("event");
        });
        exporter.shutdown_blocking(LONG);
        let events: usize = receiver.spans().iter().map(|span| span.events.len()).sum();
        assert_eq!((events, receiver.logs().len()), (on_span, as_record), "{variables:?} {target:?}");
    }
}

#[test]
fn logs_have_an_endpoint_of_their_own() {
    let (spans, logs) = (Receiver::start_blocking().unwrap(), Receiver::start_blocking().unwrap());
    let variables = [
        ("OTEL_LOGS_EXPORTER", "otlp"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &spans.http_endpoint()),
        ("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", &logs.grpc_endpoint()),
        ("OTEL_EXPORTER_OTLP_LOGS_PROTOCOL", "grpc"),
        ("OTEL_EXPORTER_OTLP_LOGS_HEADERS", "tenant=blue"),
        ("OTEL_BLRP_MAX_EXPORT_BATCH_SIZE", "5"),
    ];
    let (exporter, dispatch) = pipeline(throughline_otlp::builder("orders"), &variables);
    dispatcher::with_default(&dispatch, || {
        let _span = info_span!("span").entered();
        for _ in 0..10 {
            info!("event");
        }
    });
    let report = exporter.shutdown_blocking(LONG);
    assert_eq!(report.lost(), 0, "{report}");
    assert_eq!((spans.spans().len(), spans.logs().len()), (1, 0));
    assert_eq!((logs.spans().len(), logs.logs().len()), (0, 10));
    assert!(logs.requests().len() >= 2);
    assert_eq!(logs.requests().first().unwrap().header("tenant"), Some("blue"));
}

#[test]
fn what_the_collector_refuses_or_rejects_is_counted() {
    let receiver = Receiver::start_blocking().unwrap();
    for (endpoint, protocol) in
        [(receiver.grpc_endpoint(), Protocol::Grpc), (receiver.http_endpoint(), Protocol::HttpProtobuf)]
    {
        receiver.clear();
        receiver.behave(Behaviour::Refuse(Refusal::permanent()));
        let (guard, dispatch) = pipeline(exporter(&endpoint, protocol), &[]);
        make_events(&dispatch, 10);
        let report = guard.shutdown_blocking(LONG);
        assert_conserved(report.logs(), 10);
        assert_eq!(report.logs().dropped(DropReason::Refused), 10, "{report}");
        assert!(
            report.to_string().contains("log records: 10 accepted, 0 exported, 10 dropped (refused)"),
            "{report}"
        );

        receiver.behave(Behaviour::Accept);
        receiver.behave_next(1, Behaviour::Refuse(Refusal::retryable()));
        let (guard, dispatch) = pipeline(exporter(&endpoint, protocol), &[]);
        make_events(&dispatch, 10);
        let report = guard.shutdown_blocking(LONG);
        assert_eq!((report.logs().exported(), report.logs().retries()), (10, 1), "{report}");
    }
}

#[test]
fn a_collector_that_hangs_delays_neither_the_application_nor_the_spans() {
    let (hanging, working) = (Receiver::start_blocking().unwrap(), Receiver::start_blocking().unwrap());
    hanging.behave(Behaviour::Hang);
    let variables = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &*working.http_endpoint()),
        ("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", &*format!("{}/v1/logs", hanging.http_endpoint())),
    ];
    let builder = throughline_otlp::builder("orders").logs(Signal::On).log_queue_bytes_max(2_000);
    let (exporter, dispatch) = pipeline(builder, &variables);
    dispatcher::with_default(&dispatch, || drop(info_span!("span").entered()));
    make_events(&dispatch, 500);
    working.wait_for_spans_blocking(1, LONG).unwrap();
    let report = exporter.shutdown_blocking(Duration::from_millis(200));
    assert_eq!((report.exported(), report.accepted()), (1, 1), "{report}");
    assert_conserved(report.logs(), 500);
    assert!(report.logs().dropped(DropReason::QueueFull) > 0, "{report}");
    assert!(report.logs().dropped(DropReason::ShutdownDeadline) > 0, "{report}");
    make_events(&dispatch, 1);
    assert_eq!(exporter.report().logs().dropped(DropReason::AlreadyShutdown), 1);
}

#[test]
fn baggage_by_allow_list_is_on_spans_and_records() {
    let receiver = Receiver::start_blocking().unwrap();
    let built = exporter(&receiver.http_endpoint(), Protocol::HttpProtobuf)
        .environment(Environment::default())
        .events(EventTarget::Both)
        .build()
        .unwrap();
    let told = BaggageFields::new(["tenant"]);
    let dispatch = Dispatch::new(
        registry()
            .with(ContextLayer::new(Pipeline::builder().sampler(built.sampler).build()))
            .with(SpanLayer::new(built.exporter.sink()).baggage(told.clone()))
            .with(LogLayer::new(built.exporter.log_sink().unwrap()).baggage(told)),
    );
    let baggage = Baggage::default().insert("tenant", "blue").unwrap().insert("token", "s3cret").unwrap();
    dispatcher::with_default(&dispatch, || {
        let _caller = Context::default().with_baggage(baggage).enter();
        let _span = info_span!("span").entered();
        info!("event");
    });
    built.exporter.shutdown_blocking(LONG);
    let (spans, logs) = (receiver.spans(), receiver.logs());
    let (span, log) = (spans.first().unwrap(), logs.first().unwrap());
    assert_eq!(span.attribute("baggage.tenant"), Some(&"blue".into()));
    assert_eq!(log.attribute("baggage.tenant"), Some(&"blue".into()));
    assert!(!format!("{span:?}{log:?}").contains("s3cret"));
}

#[test]
fn own_diagnostics_and_own_traffic_never_become_records() {
    let logs = records(
        |builder| builder,
        || {
            warn!(target: DIAGNOSTICS_TARGET, "no");
            let _unheard = suppress();
            info!("no");
        },
    );
    assert!(logs.is_empty(), "{logs:?}");
}
