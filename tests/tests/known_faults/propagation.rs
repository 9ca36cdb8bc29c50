//! What travels, and how it is read.

use std::thread;

use throughline::{Carry, Context, SpanExt, carry};
use throughline_testing::Capture;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;

use crate::scene::{PARENT, TRACE, get_header, headers, outgoing, passed_on};

/// The SDK parses fields as integers: short ids, `+`, one-digit flags and a trailing dash pass.
#[test]
fn a_malformed_traceparent_starts_a_new_trace() {
    for bad in [
        "00-af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "00-+af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b716920333-01",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1",
        "0-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-",
        "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    ] {
        assert_eq!(get_header(&passed_on(&[("traceparent", bad)]), "traceparent"), None, "{bad}");
    }
}

/// The SDK masks the flags with *sampled* only, and so loses the random bit.
#[test]
fn the_random_bit_is_kept_and_unknown_bits_are_not() {
    for (read, written) in [("03", "03"), ("02", "02"), ("01", "01"), ("ff", "03"), ("08", "00")] {
        let parent = format!("00-{TRACE}-b7ad6b7169203331-{read}");
        let out = passed_on(&[("traceparent", &parent)]);
        assert!(get_header(&out, "traceparent").unwrap().ends_with(&format!("-{written}")), "{read}");
    }
}

/// The SDK looks at the first line of a header only.
#[test]
fn every_line_of_a_header_counts() {
    let out = passed_on(&[
        ("traceparent", PARENT),
        ("tracestate", "a=1"),
        ("tracestate", "b=2"),
        ("baggage", "k1=v1"),
        ("baggage", "k2=v2"),
    ]);
    assert_eq!(get_header(&out, "tracestate"), Some("a=1,b=2"));
    assert_eq!(get_header(&out, "baggage"), Some("k1=v1,k2=v2"));
    let twice = passed_on(&[("traceparent", PARENT), ("traceparent", PARENT)]);
    assert_eq!(get_header(&twice, "traceparent"), None);
}

/// The SDK has the `@` rule of Level 1, cuts lists at 32 members, takes empty values, and writes empty headers.
#[test]
fn a_tracestate_is_read_by_level_2() {
    let of = |state: &str| {
        let out = passed_on(&[("traceparent", PARENT), ("tracestate", state)]);
        assert!(get_header(&out, "traceparent").is_some(), "the parent is kept whatever the state: {state}");
        get_header(&out, "tracestate").map(str::to_owned)
    };
    assert_eq!(of("a@b@c=1").as_deref(), Some("a@b@c=1"));
    let many: Vec<String> = (0..33).map(|number| format!("k{number}=v")).collect();
    for refused in [many.join(",").as_str(), "a=", "a=b\u{7f}", ""] {
        assert_eq!(of(refused), None, "{refused}");
    }
}

/// The SDK cuts a value at its second `=`, lets decoded characters out raw, and drops what isn't UTF-8.
#[test]
fn baggage_reads_the_same_again_after_a_hop() {
    for (read, written) in [
        ("k=a=b", "k=a=b"),
        ("k=a%25b%3Bc", "k=a%25b%3Bc"),
        ("k=v;p=1%3B2", "k=v;p=1%3B2"),
        ("k=%FF", "k=%FF"),
    ] {
        assert_eq!(get_header(&passed_on(&[("baggage", read)]), "baggage"), Some(written), "{read}");
    }
}

/// The SDK drops a header that is too large as a whole.
#[test]
fn baggage_above_the_limits_loses_members_and_not_everything() {
    let many: Vec<String> = (0..200).map(|number| format!("key{number}={}", "v".repeat(100))).collect();
    let out = passed_on(&[("baggage", &many.join(","))]);
    let kept = get_header(&out, "baggage").unwrap();
    assert!(kept.split(',').count() >= 64, "{kept}");
    assert!(kept.len() <= 8192 && kept.ends_with('v'), "no member is cut: {kept}");
}

/// No propagator is installed by default: a whole process runs without, silently.
#[test]
fn what_comes_in_goes_on_without_any_set_up() {
    let out = passed_on(&[("traceparent", PARENT), ("baggage", "a=1"), ("x-correlation-id", "c-1")]);
    assert_eq!(out, headers(&[("traceparent", PARENT), ("baggage", "a=1"), ("x-correlation-id", "c-1")]));
}

/// A parent must be set before the span starts, and reading the context starts it (tokio-rs/tracing#2520).
#[test]
fn ids_and_parent_are_fixed_at_birth_in_any_order_of_calls() {
    let capture = Capture::new("orders");
    capture.run(|| {
        let outer = tracing::info_span!("outer");
        let before = outer.context().span().unwrap().span_id();
        let inner = tracing::info_span!(parent: &outer, "inner");
        outer.set_attribute("late", 1);
        assert_eq!(outer.context().span().unwrap().span_id(), before);
        drop((inner, outer));
    });
    assert_eq!(capture.tree(), "orders: outer (internal) #1\n  orders: inner (internal) #2");
}

/// Links to closed spans are dropped (tracing-opentelemetry).
#[test]
fn a_link_to_a_closed_span_is_kept() {
    let capture = Capture::new("orders");
    capture.run(|| {
        let closed = tracing::info_span!("closed").context();
        let span = tracing::info_span!("linked");
        span.add_link(closed.span().unwrap(), &[]);
    });
    let [link] = &capture.span("linked").links[..] else { panic!("one link") };
    assert_eq!(link.span_id, capture.span("closed").span_id);
}

/// `RUST_LOG=warn` ends traces and stops propagation.
#[test]
fn a_log_filter_silences_lines_and_nothing_else() {
    use throughline::core::Filters;

    let (warn, info) =
        (Targets::new().with_default(LevelFilter::WARN), Targets::new().with_default(LevelFilter::INFO));
    let capture = Capture::builder("orders").filters(Filters::new(warn, info)).build();
    capture.run(|| {
        tracing::info_span!("order").in_scope(|| {
            tracing::info!("accepted");
            assert!(get_header(&outgoing(), "traceparent").is_some());
        });
    });
    assert!(capture.lines().is_empty());
    assert_eq!(capture.tree(), "orders: order (internal) #1");
}

/// Context does not cross `tokio::spawn`, `spawn_blocking` and threads.
#[tokio::test]
async fn context_crosses_tasks_and_threads_with_one_word() {
    let capture = Capture::new("orders");
    let _guard = capture.install();
    let span = tracing::info_span!("request").entered();
    let task = async { drop(tracing::info_span!("in a task")) }.carry();
    let blocking = carry(|| drop(tracing::info_span!("on a blocking thread")));
    let thread = carry(|| drop(tracing::info_span!("on a thread")));
    drop(span);
    tokio::spawn(task).await.unwrap();
    let elsewhere = [capture.clone(), capture.clone()];
    let [there, anywhere] = elsewhere;
    tokio::task::spawn_blocking(move || there.run(blocking)).await.unwrap();
    thread::spawn(move || anywhere.run(thread)).join().unwrap();

    let root = capture.span("request").span_id;
    let below = capture.spans().iter().filter(|span| span.parent_span_id == Some(root)).count();
    assert_eq!(below, 3, "{}", capture.tree());
}

/// A span that is filtered out takes the incoming context with it.
#[test]
fn a_filtered_span_lets_the_incoming_context_through() {
    let capture = Capture::builder("orders").filters(nothing()).build();
    capture.run(|| {
        let incoming = throughline::core::Propagator::default()
            .extract(&headers(&[("traceparent", PARENT)]), &throughline::EdgePolicy::trust());
        let _incoming = incoming.enter();
        let _span = tracing::info_span!("filtered out").entered();
        assert_eq!(Context::current().span().unwrap().trace_id().to_string(), TRACE);
        assert_eq!(get_header(&outgoing(), "traceparent"), Some(PARENT));
    });
    assert!(capture.spans().is_empty());
}

fn nothing() -> throughline::core::Filters {
    throughline::core::Filters::new(Targets::new(), Targets::new())
}
