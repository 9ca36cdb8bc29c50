//! What stands on a line: with a fixed clock, to the byte.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails where a helper of it does")]

mod support;

use std::{
    error::Error,
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    thread,
};

use proptest::prelude::*;
use serde_json::{Value, json};
use support::{Failure, TIME, counted, incoming, lines, order_accepted};
use throughline_core::{
    Baggage, BaggageFields, Clock, ContextLayer, DIAGNOSTICS_TARGET, Filters, PANIC_TARGET, Pipeline,
    SpanExt, suppress,
};
use throughline_logs::{Format, JsonLayer, LineRate, Memory, RateKey};
use tracing::{Level, Metadata, debug, error, field::Empty, info, info_span, warn};
use tracing_subscriber::prelude::*;

fn plain(work: impl FnOnce()) -> Vec<String> {
    lines(|builder| builder, work)
}

/// The fields of the only line of `work`, without the fixed keys.
fn fields(work: impl FnOnce()) -> Value {
    let lines = plain(work);
    assert_eq!(lines.len(), 1, "{lines:?}");
    let mut line: Value = serde_json::from_str(&lines[0]).unwrap();
    let object = line.as_object_mut().unwrap();
    for key in ["timestamp", "level", "message", "service", "trace_id", "span_id", "trace_flags", "target"] {
        object.remove(key);
    }
    line
}

#[test]
fn a_plain_line() {
    let expected = concat!(
        r#"{"timestamp":"2026-11-24T09:30:00.123456789Z","level":"INFO","message":"order 7 accepted","service":"orders","#,
        r#""correlation_id":"ticket-4711","trace_id":"0af7651916cd43dd8448eb211c80319c","span_id":"b7ad6b7169203331","#,
        r#""trace_flags":"03","target":"orders::api","total":12.5,"express":true,"customer":"c-1"}"#
    );
    assert_eq!(plain(order_accepted), [expected]);
}

#[test]
fn an_otel_line() {
    let expected = concat!(
        r#"{"timestamp":"2026-11-24T09:30:00.123456789Z","severity_text":"INFO","severity_number":9,"#,
        r#""body":"order 7 accepted","trace_id":"0af7651916cd43dd8448eb211c80319c","span_id":"b7ad6b7169203331","#,
        r#""trace_flags":"03","service.name":"orders","correlation_id":"ticket-4711","target":"orders::api","#,
        r#""attributes":{"total":12.5,"express":true,"customer":"c-1"}}"#
    );
    assert_eq!(lines(|builder| builder.format(Format::Otel), order_accepted), [expected]);
}

#[test]
fn a_console_line() {
    let expected = concat!(
        "2026-11-24T09:30:00.123456Z  INFO orders::api: order 7 accepted total=12.5 express=true customer=\"c-1\" ",
        "correlation_id=ticket-4711 trace=0af76519 span=b7ad6b71"
    );
    assert_eq!(lines(|builder| builder.format(Format::Console), order_accepted), [expected]);
    let coloured = lines(|builder| builder.format(Format::Console).colour(true), order_accepted);
    assert!(coloured[0].contains("\u{1b}[32m INFO\u{1b}[0m"), "{coloured:?}");
}

#[test]
fn nothing_breaks_out_of_a_console_line() {
    let written = lines(
        |builder| builder.format(Format::Console),
        || warn!(note = "a\nb\u{9b}2J", "first\nsecond \u{1b}[31m\"quoted\""),
    );
    assert_eq!(written.len(), 1);
    assert!(
        written[0].contains("first\\nsecond \\u001b[31m\"quoted\" note=\"a\\nb\\u009b2J\""),
        "{written:?}"
    );
}

#[test]
fn a_line_outside_of_any_work_has_no_ids() {
    let expected = concat!(
        r#"{"timestamp":"2026-11-24T09:30:00.123456789Z","level":"WARN","message":"alone","service":"orders","#,
        r#""target":"lines"}"#
    );
    assert_eq!(plain(|| warn!("alone")), [expected]);
    let otel = lines(|builder| builder.format(Format::Otel), || error!("alone"));
    assert!(
        otel[0].ends_with(r#""severity_number":17,"body":"alone","service.name":"orders","target":"lines"}"#)
    );
}

#[test]
fn the_message_stands_in_its_place_wherever_it_is_given() {
    for line in plain(|| {
        info!(a = 1, message = "late");
        info!(message = "late", a = 1);
        info!(a = 1, "late");
    }) {
        assert!(line.contains(r#""level":"INFO","message":"late","service":"orders""#), "{line}");
        assert!(line.ends_with(r#""target":"lines","a":1}"#), "{line}");
    }
    assert!(!plain(|| info!(a = 1))[0].contains("message"));
}

#[test]
fn every_key_stands_once_and_the_innermost_wins() {
    let written = fields(|| {
        let _outer = info_span!("outer", a = 1, b = 1, c = 1, level = "outer", message = "outer").entered();
        let _inner = info_span!("inner", b = 2, c = 2, level = "inner", trace_id = "fake").entered();
        info!(c = 3, target = "mine", fields.target = "other", "event");
    });
    let expected = json!({
        "c": 3, "fields.target": "mine", "b": 2, "fields.level": "inner", "fields.trace_id": "fake", "a": 1,
        "fields.message": "outer",
    });
    assert_eq!(written, expected);
    let line = plain(|| {
        let _span = info_span!("span", a = 1, b = 2).entered();
        info!(b = 3, a = 4, "event");
    });
    assert_eq!((line[0].matches("\"a\":").count(), line[0].matches("\"b\":").count()), (1, 1), "{line:?}");
}

#[test]
fn fields_for_span_layers_never_reach_a_line() {
    let written = fields(|| {
        let _span = info_span!("span", otel.name = "GET /", otel.kind = "server", kept = 1).entered();
        info!(otel.status = "no", r#type = "yes", "event");
    });
    assert_eq!(written, json!({"type": "yes", "kept": 1}));
}

#[test]
fn values_keep_their_types() {
    let written = fields(|| {
        let some = Some("x");
        info!(
            yes = true, minus = -1_i64, most = u64::MAX, huge = u128::MAX, small = 7_i128, float = 0.5, nan = f64::NAN,
            bytes = [1_u8, 255].as_slice(), debug = ?some, display = %7, none = Empty, absent = None::<u8>, "event"
        );
    });
    let expected = json!({
        "yes": true, "minus": -1, "most": u64::MAX, "huge": u128::MAX.to_string(), "small": 7, "float": 0.5,
        "nan": "NaN", "bytes": "01ff", "debug": "Some(\"x\")", "display": "7",
    });
    assert_eq!(written, expected);
}

#[test]
fn a_late_record_counts() {
    let written = plain(|| {
        let span = info_span!("span", status = Empty, user = "unknown");
        let _entered = span.enter();
        info!("before");
        span.record("status", 201).record("user", "ada");
        info!("after");
    });
    assert!(written[0].ends_with(r#""user":"unknown"}"#), "{written:?}");
    assert!(written[1].ends_with(r#""user":"ada","status":201}"#), "{written:?}");
}

#[test]
fn an_explicit_parent_gives_ids_and_fields() {
    let written = plain(|| {
        let other = incoming().enter();
        let named = info_span!("named", which = "named");
        drop(other);
        let _entered = info_span!("entered", which = "entered").entered();
        info!(parent: &named, "by name");
        info!("contextual");
        info!(parent: None, "nowhere");
        let context = named.context();
        let span = context.span().unwrap();
        info!(parent: None, id = %span.span_id(), trace = %span.trace_id(), "ids");
    });
    let of = |line: usize, key: &str| serde_json::from_str::<Value>(&written[line]).unwrap()[key].clone();
    assert_eq!(
        (of(0, "which"), of(1, "which"), of(2, "which")),
        (json!("named"), json!("entered"), Value::Null)
    );
    assert_eq!((of(0, "span_id"), of(0, "trace_id")), (of(3, "id"), of(3, "trace")));
    assert_eq!(of(0, "correlation_id"), "ticket-4711");
    assert_ne!(of(0, "trace_id"), of(1, "trace_id"));
    assert_eq!((of(1, "correlation_id"), of(2, "trace_id")), (Value::Null, Value::Null));
}

#[test]
fn a_span_may_be_entered_and_closed_on_another_thread() {
    let written = plain(|| {
        let span = info_span!("moved", order_id = 7);
        let dispatch = tracing::dispatcher::get_default(Clone::clone);
        thread::spawn(move || {
            tracing::dispatcher::with_default(&dispatch, || {
                span.in_scope(|| info!("there"));
                drop(span);
                info!("after");
            });
        })
        .join()
        .unwrap();
    });
    assert!(written[0].contains("\"span_id\"") && written[0].ends_with("\"order_id\":7}"), "{written:?}");
    assert!(!written[1].contains("span_id") && !written[1].contains("order_id"), "{written:?}");
}

#[test]
fn an_error_keeps_its_chain() {
    let failure =
        Failure("not stored", Some(Box::new(Failure("no \"disk\"", Some(Box::new(Failure("worn", None)))))));
    let event = fields(|| error!(error = &failure as &dyn Error, "event"));
    assert_eq!(event, json!({"error": "not stored", "error.chain": ["no \"disk\"", "worn"]}));
    let span = fields(|| {
        let _span = info_span!("span", cause = &failure as &dyn Error).entered();
        info!("event");
    });
    assert_eq!(span, json!({"cause": "not stored", "cause.chain": ["no \"disk\"", "worn"]}));
    let alone = fields(|| {
        let _span = info_span!("span", error = &failure as &dyn Error).entered();
        error!(error = &Failure("timeout", None) as &dyn Error, "event");
    });
    assert_eq!(alone, json!({"error": "timeout"}), "the chain of another error must not follow");
}

struct Panics;

impl fmt::Debug for Panics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("so far")?;
        panic!("a faulty Debug")
    }
}

#[test]
fn a_panicking_debug_hurts_neither_line_nor_caller() {
    let (written, counters) = counted(
        |builder| builder,
        || {
            let _span = info_span!("span", inside = ?Panics).entered();
            info!(value = ?Panics, after = 1, "{:?}", Panics);
        },
    );
    let line: Value = serde_json::from_str(&written[0]).unwrap();
    for key in ["message", "value", "inside"] {
        assert_eq!(line[key], "so far[formatting panicked]");
    }
    assert_eq!(line["after"], 1);
    assert_eq!(counters.stats().format_failures(), 3);
}

#[test]
fn long_values_are_cut_and_the_line_says_so() {
    let (written, counters) = counted(
        |builder| builder.field_bytes_max(4),
        || {
            let _span = info_span!("span", long = "12345", short = "1234").entered();
            info!(own = "ééé", log.truncated = 9, "message");
        },
    );
    let line: Value = serde_json::from_str(&written[0]).unwrap();
    assert_eq!((&line["message"], &line["own"]), (&json!("mess…"), &json!("éé…")));
    assert_eq!((&line["long"], &line["short"]), (&json!("1234…"), &json!("1234")));
    assert_eq!((&line["log.truncated"], &line["fields.log.truncated"]), (&json!(3), &json!(9)));
    assert_eq!(counters.stats().truncated(), 3);
}

#[test]
fn fields_without_room_are_left_out_and_the_line_says_so() {
    let (written, counters) = counted(
        |builder| builder.fields_max(3),
        || {
            let _span = info_span!("span", c = 3, d = 4).entered();
            info!(a = 1, b = 2, "message");
        },
    );
    assert!(written[0].ends_with(r#""a":1,"b":2,"c":3,"log.dropped_fields":1}"#), "{written:?}");
    assert_eq!(counters.stats().dropped_fields(), 1);
}

#[test]
fn a_line_never_gets_longer_than_its_limit() {
    let huge = "\u{1}".repeat(1 << 20);
    let target = "orders";
    for format in [
        Format::Plain,
        Format::Otel,
        Format::Ecs,
        Format::Gcp,
        Format::Datadog,
        Format::OtlpJson,
        Format::Console,
    ] {
        let written = lines(
            |builder| builder.format(format).line_bytes_max(8 * 1024),
            || {
                let _span = info_span!("span", s1 = huge, s2 = huge, s3 = huge, s4 = 4).entered();
                info!(target: "orders", a = huge, b = huge, c = huge, d = ?huge, "{huge}");
            },
        );
        assert!(written[0].len() <= 8 * 1024, "{format}: {}", written[0].len());
        assert!(written[0].contains(target) && is_short_of_fields(&written[0]), "{format}");
        if format != Format::Console {
            serde_json::from_str::<Value>(&written[0]).unwrap();
        }
    }
}

fn is_short_of_fields(line: &str) -> bool {
    ["log.dropped_fields", "log_dropped_fields", "droppedAttributesCount"]
        .iter()
        .any(|key| line.contains(key))
}

#[test]
fn filters_decide_on_lines_and_not_on_span_fields() {
    let filters = Filters::new("warn,chatty=debug".parse().unwrap(), "trace".parse().unwrap());
    let written = lines(
        |builder| builder.filters(filters),
        || {
            let _span = info_span!("span", a = 1).entered();
            info!("no");
            warn!("yes");
            debug!(target: "chatty", "yes");
        },
    );
    assert_eq!(written.len(), 2, "{written:?}");
    assert!(written.iter().all(|line| line.contains("yes") && line.contains("\"a\":1")));
}

#[test]
fn a_suppressed_thread_writes_only_diagnostics() {
    let written = plain(|| {
        let _unheard = suppress();
        info!("no");
        warn!(target: DIAGNOSTICS_TARGET, "yes");
    });
    assert_eq!(written.len(), 1);
    assert!(written[0].contains("\"message\":\"yes\""));
}

#[test]
fn two_layers_share_the_fields_of_a_span() {
    let (first, second) = (Memory::new(), Memory::new());
    let subscriber = tracing_subscriber::registry()
        .with(ContextLayer::new(Pipeline::builder().build()))
        .with(JsonLayer::builder("orders").writer(first.clone()).build())
        .with(JsonLayer::builder("orders").format(Format::Console).writer(second.clone()).build());
    tracing::subscriber::with_default(subscriber, || {
        let span = info_span!("span", a = "x", b = Empty).entered();
        span.record("b", 2);
        info!("event");
    });
    assert!(first.text().ends_with("\"a\":\"x\",\"b\":2}\n"), "{}", first.text());
    assert!(second.text().contains(" event a=\"x\" b=2 trace="), "{}", second.text());
}

#[test]
fn repeated_lines_are_left_out_and_the_next_one_says_how_many() {
    let clock = Arc::new(AtomicU64::new(TIME));
    let (written, counters) = counted(
        |builder| {
            builder.clock(Clock::fixed(Arc::clone(&clock))).rate_limit(LineRate::per_second(1).burst(2))
        },
        || {
            let noise = |number: u32| info!(number, "noise");
            (0..5).for_each(noise);
            info!("another place");
            error!(target: PANIC_TARGET, "always");
            clock.fetch_add(1_000_000_000, Relaxed);
            (5..7).for_each(noise);
            clock.fetch_add(60_000_000_000, Relaxed);
            noise(7);
            noise(8);
        },
    );
    let told = written.iter().map(|line| {
        let line: Value = serde_json::from_str(line).unwrap();
        (
            line["message"].as_str().unwrap().to_owned(),
            line["number"].as_u64(),
            line["log.suppressed"].as_u64(),
        )
    });
    let noise = |number, suppressed| ("noise".to_owned(), Some(number), suppressed);
    let expected = [
        noise(0, None),
        noise(1, None),
        ("another place".to_owned(), None, None),
        ("always".to_owned(), None, None),
        noise(5, Some(3)),
        noise(7, Some(1)),
        noise(8, None),
    ];
    assert_eq!(told.collect::<Vec<_>>(), expected);
    assert_eq!(counters.stats().suppressed(), 4);
}

#[test]
fn a_rate_may_depend_on_the_event_and_lines_be_alike_by_their_message() {
    let by_level = |event: &Metadata<'_>| (*event.level() > Level::WARN).then_some(LineRate::per_minute(1));
    let (written, counters) = counted(
        |builder| builder.rate_limit(by_level).rate_key(RateKey::Message),
        || {
            for round in 0..3 {
                for user in ["ada", "bob"] {
                    info!(round, "hello {user}");
                }
                warn!("never limited");
            }
        },
    );
    let count = |text: &str| written.iter().filter(|line| line.contains(text)).count();
    assert_eq!((count("hello ada"), count("hello bob"), count("never limited")), (1, 1, 3));
    assert_eq!(counters.stats().suppressed(), 4);
    let unlimited = lines(|builder| builder.rate_limit(()), || (0..100).for_each(|_| info!("hello")));
    assert_eq!(unlimited.len(), 100);
}

#[test]
fn baggage_becomes_fields_by_an_allow_list() {
    let baggage = Baggage::default().insert("tenant", "blue").unwrap().insert("token", "s3cret").unwrap();
    let context = incoming().with_baggage(baggage);
    for (told, expected) in [
        (BaggageFields::default(), json!({})),
        (BaggageFields::new(["tenant", "absent"]), json!({"baggage.tenant": "blue"})),
        // Redaction has the last word.
        (BaggageFields::new(["token"]), json!({"baggage.token": "REDACTED"})),
        (BaggageFields::new(["tenant"]).prefix(""), json!({"tenant": "event's"})),
    ] {
        let has_own = expected.get("tenant").is_some();
        let written = lines(
            |builder| builder.baggage(told),
            || {
                let _entered = context.enter();
                if has_own { info!(tenant = "event's", "event") } else { info!("event") }
            },
        );
        let mut line: Value = serde_json::from_str(&written[0]).unwrap();
        let line = line.as_object_mut().unwrap();
        line.retain(|key, _| key.contains("tenant") || key.contains("token"));
        assert_eq!(Value::from(line.clone()), expected);
    }
}

proptest! {
    #[test]
    fn any_text_comes_back_from_one_line(text in "(?s:.){0,200}", number in any::<f64>()) {
        let lines = plain(|| {
            let _span = info_span!("span", inside = text.as_str()).entered();
            info!(value = text.as_str(), shown = %text, number, "{text}");
        });
        prop_assert_eq!(lines.len(), 1);
        let line: Value = serde_json::from_str(&lines[0]).unwrap();
        for key in ["message", "value", "shown", "inside"] {
            prop_assert_eq!(line[key].as_str(), Some(text.as_str()), "{}", key);
        }
        if number.is_finite() {
            // serde_json's own float parser is not exact to the last digit unless asked; the standard library's is.
            let written = lines[0].split_once("\"number\":").unwrap().1;
            prop_assert_eq!(written.split(',').next().unwrap().parse(), Ok(number));
        } else {
            prop_assert!(line["number"].is_string());
        }
    }
}
