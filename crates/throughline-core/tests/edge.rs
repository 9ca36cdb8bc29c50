//! What an edge believes of its caller: headers in, context, spans and counters out.

#![expect(clippy::unwrap_used, reason = "helpers of tests are tests, too")]

use std::sync::{Arc, Mutex};

use throughline_core::{
    CallerCorrelation, CallerSampled, Context, ContextLayer, EdgePolicy, ParentBased, Pipeline,
    PropagationCounters, Propagator, SpanContext, SpanExt, TraceId, with_remote,
};
use tracing::info_span;
use tracing_subscriber::{prelude::*, registry};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const CALLER: &str = "b7ad6b7169203331";
const CORRELATION: &str = "order-1";

/// A caller that sends everything.
fn caller(flags: &str) -> Vec<(String, String)> {
    let fields = [
        ("traceparent", format!("00-{TRACE}-{CALLER}-{flags}")),
        ("tracestate", "vendor=a".into()),
        ("baggage", "tenant=blue,debug=1;p,region=eu".into()),
        ("x-correlation-id", CORRELATION.into()),
    ];
    fields.map(|(name, value)| (name.to_owned(), value)).into()
}

fn counted(count: impl FnOnce(&mut PropagationCounters)) -> PropagationCounters {
    let mut counters = PropagationCounters::default();
    count(&mut counters);
    counters
}

/// `trace`, `link` or `-`; the baggage; whether the correlation id is the caller's.
fn seen(context: &Context) -> (&'static str, String, bool) {
    let is_callers = |span: &SpanContext| span.span_id().to_string() == CALLER && span.is_remote();
    let trace = match (context.span(), context.restarted_from()) {
        (Some(span), None) if is_callers(span) => "trace",
        (None, Some(link)) if is_callers(link) => "link",
        (None, None) => "-",
        other => panic!("{other:?}"),
    };
    (trace, context.baggage().to_header(), context.correlation_id().unwrap().as_str() == CORRELATION)
}

#[test]
fn what_each_policy_lets_in_and_what_it_counts() {
    const ALL: &str = "tenant=blue,debug=1;p,region=eu";
    for (name, policy, trace, baggage, keeps_correlation, counters) in [
        ("default", EdgePolicy::default(), "trace", ALL, true, counted(|_| ())),
        ("trust", EdgePolicy::trust(), "trace", ALL, true, counted(|_| ())),
        (
            "restart",
            EdgePolicy::restart(),
            "link",
            ALL,
            true,
            counted(|c| (c.traces_restarted, c.sampled_overruled) = (1, 1)),
        ),
        (
            "edge",
            EdgePolicy::edge(),
            "link",
            "",
            true,
            counted(|c| (c.traces_restarted, c.sampled_overruled, c.baggage_members_refused) = (1, 1, 3)),
        ),
        ("ignore", EdgePolicy::ignore(), "-", "", false, counted(|c| c.callers_ignored = 1)),
        (
            "restart, flag honoured",
            EdgePolicy::restart().sampled(CallerSampled::Honour),
            "link",
            ALL,
            true,
            counted(|c| c.traces_restarted = 1),
        ),
        (
            "trust, sampling off",
            EdgePolicy::trust().sampled(CallerSampled::Off),
            "trace",
            ALL,
            true,
            counted(|c| c.sampled_overruled = 1),
        ),
        (
            "another correlation id",
            EdgePolicy::trust().correlation(CallerCorrelation::Replace),
            "trace",
            ALL,
            false,
            counted(|c| c.correlation_refused = 1),
        ),
        (
            "some keys",
            EdgePolicy::trust().baggage_keys(["region", "debug", "Tenant"]),
            "trace",
            "debug=1;p,region=eu",
            true,
            counted(|c| c.baggage_members_refused = 1),
        ),
        (
            "few members",
            EdgePolicy::trust().baggage_members_max(2),
            "trace",
            "tenant=blue,debug=1;p",
            true,
            counted(|c| c.baggage_members_refused = 1),
        ),
        (
            "few bytes",
            EdgePolicy::trust().baggage_bytes_max("tenant=blue,debug=1;p".len()),
            "trace",
            "tenant=blue,debug=1;p",
            true,
            counted(|c| c.baggage_members_refused = 1),
        ),
        (
            "an edge that lets one key in",
            EdgePolicy::edge().baggage_keys(["tenant"]).sampled(CallerSampled::Honour),
            "link",
            "tenant=blue",
            true,
            counted(|c| (c.traces_restarted, c.baggage_members_refused) = (1, 2)),
        ),
        (
            "no baggage",
            EdgePolicy::trust().without_baggage(),
            "trace",
            "",
            true,
            counted(|c| c.baggage_members_refused = 3),
        ),
    ] {
        let propagator = Propagator::default();
        let context = propagator.extract(&caller("01"), &policy);
        assert_eq!(seen(&context), (trace, baggage.to_owned(), keeps_correlation), "{name}");
        assert_eq!(propagator.counters(), counters, "{name}");
    }
}

#[test]
fn a_caller_that_says_nothing_costs_no_counter() {
    for policy in [EdgePolicy::trust(), EdgePolicy::restart(), EdgePolicy::edge(), EdgePolicy::ignore()] {
        let propagator = Propagator::default();
        let context = propagator.extract(&Vec::new(), &policy);
        assert_eq!(seen(&context), ("-", String::new(), false));
        assert_eq!(propagator.counters(), PropagationCounters::default());
    }
}

#[test]
fn limits_above_the_standards_change_nothing() {
    let policy = EdgePolicy::trust().baggage_members_max(usize::MAX).baggage_bytes_max(usize::MAX);
    let many = (0..70).map(|number| format!("k{number}=v")).collect::<Vec<_>>().join(",");
    let propagator = Propagator::default();
    let context = propagator.extract(&vec![("baggage".to_owned(), many)], &policy);
    assert_eq!(context.baggage().len(), 64);
    assert_eq!(propagator.counters(), counted(|c| c.baggage_members_dropped = 6));
}

/// The span that is made in the context of a caller, and the parent that the sampler was shown.
fn born(policy: &EdgePolicy, flags: &str) -> (SpanContext, Option<(String, bool)>) {
    let shown = Arc::new(Mutex::new(None));
    let shown_by_sampler = Arc::clone(&shown);
    let sampler = ParentBased::new(|_: Option<&SpanContext>, _: TraceId, _: &str| true);
    let sampler = move |parent: Option<&SpanContext>, trace: TraceId, name: &str| {
        *shown_by_sampler.lock().unwrap() = parent.map(|p| (p.span_id().to_string(), p.is_sampled()));
        throughline_core::Sampler::sample(&sampler, parent, trace, name)
    };
    let layer = ContextLayer::new(Pipeline::builder().sampler(sampler).build());
    let span = tracing::subscriber::with_default(registry().with(layer), || {
        let incoming = Propagator::default().extract(&caller(flags), policy);
        let span = with_remote(&incoming, || info_span!("request"));
        assert!(span.context().restarted_from().is_none(), "only the first span links");
        span.context().span().unwrap().clone()
    });
    let shown = shown.lock().unwrap().take();
    (span, shown)
}

#[test]
fn what_the_sampled_flag_counts_for() {
    let (trust, restart) = (EdgePolicy::trust(), EdgePolicy::restart());
    use CallerSampled::{DecideAnew, Honour, Off};
    // The sampler keeps every new trace and follows a parent.
    for (policy, sampled, flags, continues, shown, kept) in [
        (&trust, Honour, "01", true, Some(true), true),
        (&trust, Honour, "00", true, Some(false), false),
        (&trust, DecideAnew, "01", true, None, true),
        (&trust, DecideAnew, "00", true, None, true),
        (&trust, Off, "01", true, Some(false), false),
        (&restart, Honour, "01", false, Some(true), true),
        (&restart, Honour, "00", false, Some(false), false),
        (&restart, DecideAnew, "00", false, None, true),
        (&restart, Off, "01", false, Some(false), false),
    ] {
        let (span, parent) = born(&policy.clone().sampled(sampled), flags);
        let case = format!("{policy:?} {sampled:?} {flags}");
        assert_eq!(span.trace_id().to_string() == TRACE, continues, "{case}");
        assert_eq!(parent, shown.map(|sampled| (CALLER.to_owned(), sampled)), "{case}");
        assert_eq!(span.is_sampled(), kept, "{case}");
        assert_eq!(span.flags().is_random(), !continues, "{case}: a new trace has a random id");
        let vendors = if continues { "vendor=a" } else { "" };
        assert_eq!(span.tracestate().as_str(), vendors, "{case}");
    }
}

#[test]
fn without_a_span_a_restarted_trace_ends_and_the_story_goes_on() {
    let propagator = Propagator::default();
    for sampled in [CallerSampled::Honour, CallerSampled::DecideAnew, CallerSampled::Off] {
        let mut next: Vec<(String, String)> = Vec::new();
        let context = propagator.extract(&caller("01"), &EdgePolicy::restart().sampled(sampled));
        propagator.inject(&context, &mut next);
        let names: Vec<_> = next.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["baggage", "x-correlation-id"]);

        // A trace that goes on keeps its flags: they change only together with the span id.
        let mut next: Vec<(String, String)> = Vec::new();
        propagator
            .inject(&propagator.extract(&caller("01"), &EdgePolicy::trust().sampled(sampled)), &mut next);
        assert_eq!(next, caller("01"));
    }
}

#[cfg(all(feature = "b3", feature = "jaeger", feature = "xray"))]
mod formats {
    use super::*;
    use throughline_core::Format::{self, B3, B3Multi, Baggage, Jaeger, TraceContext, XRay};

    fn pairs(fields: &[(&str, &str)]) -> Vec<(String, String)> {
        fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    /// One caller a format, told apart by the last digit of its span id.
    fn everybody() -> Vec<(String, String)> {
        pairs(&[
            ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
            ("b3", "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203332-1"),
            ("uber-trace-id", "0af7651916cd43dd8448eb211c80319c:b7ad6b7169203334:0:1"),
            ("x-amzn-trace-id", "Root=1-0af76519-16cd43dd8448eb211c80319c;Parent=b7ad6b7169203335;Sampled=1"),
        ])
    }

    #[test]
    fn the_first_format_that_is_valid_wins() {
        let broken = |name: &str| {
            let fields = everybody().into_iter();
            let fields =
                fields.map(|(own, value)| if own == name { (own, "?".to_owned()) } else { (own, value) });
            fields.collect::<Vec<_>>()
        };
        for (order, carrier, last_digit, invalid) in [
            (&[TraceContext, B3, Jaeger, XRay][..], everybody(), "1", (0, 0)),
            (&[B3, TraceContext, Jaeger, XRay], everybody(), "2", (0, 0)),
            (&[B3Multi, TraceContext], everybody(), "2", (0, 0)),
            (&[Jaeger, XRay, TraceContext], everybody(), "4", (0, 0)),
            (&[XRay, B3], everybody(), "5", (0, 0)),
            (&[Baggage, XRay], everybody(), "5", (0, 0)),
            // One that makes no sense is counted, and the next one is asked.
            (&[TraceContext, Jaeger], broken("traceparent"), "4", (1, 0)),
            (&[B3, XRay], broken("b3"), "5", (0, 1)),
            (&[Jaeger, TraceContext], broken("uber-trace-id"), "1", (0, 1)),
            // What isn't configured isn't looked at.
            (&[TraceContext], broken("b3"), "1", (0, 0)),
        ] {
            let propagator = Propagator::default().formats(order.iter().copied());
            let context = propagator.extract(&carrier, &EdgePolicy::trust());
            let span = context.span().unwrap().span_id().to_string();
            assert!(span.ends_with(last_digit), "{order:?}: {span}");
            let counters = propagator.counters();
            assert_eq!((counters.traceparent_invalid, counters.vendor_format_invalid), invalid, "{order:?}");
        }
    }

    #[test]
    fn every_format_is_written() {
        let all = [XRay, B3, TraceContext, B3Multi, Jaeger, Baggage, B3];
        let propagator = Propagator::default().formats(all);
        let context = propagator.extract(&caller("01"), &EdgePolicy::trust());
        let mut written = Vec::new();
        propagator.inject(&context, &mut written);
        let expected = [
            ("x-amzn-trace-id", "Root=1-0af76519-16cd43dd8448eb211c80319c;Parent=b7ad6b7169203331;Sampled=1"),
            ("b3", "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1"),
            ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
            ("tracestate", "vendor=a"),
            ("x-b3-traceid", "0af7651916cd43dd8448eb211c80319c"),
            ("x-b3-spanid", "b7ad6b7169203331"),
            ("x-b3-sampled", "1"),
            ("uber-trace-id", "0af7651916cd43dd8448eb211c80319c:b7ad6b7169203331:0:1"),
            ("uberctx-tenant", "blue"),
            ("uberctx-debug", "1"),
            ("uberctx-region", "eu"),
            ("baggage", "tenant=blue,debug=1;p,region=eu"),
            ("x-correlation-id", CORRELATION),
        ];
        assert_eq!(written, pairs(&expected));
        assert!(propagator.is_present(&written) && !propagator.is_present(&Vec::new()));
    }

    #[test]
    fn clearing_leaves_nothing_that_anybody_would_believe() {
        let propagator = Propagator::default().formats([B3, Jaeger, TraceContext, Baggage]);
        let propagator = propagator.accept_correlation_from("x-request-id").unwrap();
        let mut carrier = pairs(&[
            ("B3", "0"),
            ("X-B3-TraceId", "1"),
            ("X-B3-ParentSpanId", "1"),
            ("Uber-Trace-Id", "1:2:0:1"),
            ("Uberctx-Tenant", "blue"),
            ("Traceparent", "?"),
            ("baggage", "a=1"),
            ("X-Request-Id", "r-1"),
            ("x-correlation-id", "r-1"),
            ("x-amzn-trace-id", "not ours"),
            ("content-type", "text/plain"),
        ]);
        let mut untouched = carrier.clone();
        propagator.clear(&mut carrier);
        let kept = [("X-Request-Id", "r-1"), ("x-amzn-trace-id", "not ours"), ("content-type", "text/plain")];
        assert_eq!(carrier, pairs(&kept));
        Propagator::off().clear(&mut untouched);
        assert_eq!(untouched.len(), 11);
    }

    /// The span below a caller, and what the next hop gets from inside it.
    fn below(format: Format, fields: &[(&str, &str)], policy: &EdgePolicy) -> (SpanContext, String) {
        let layer = ContextLayer::new(
            Pipeline::builder()
                .sampler(ParentBased::new(|_: Option<&SpanContext>, _: TraceId, _: &str| true))
                .build(),
        );
        let propagator = Propagator::default().formats([format]);
        tracing::subscriber::with_default(registry().with(layer), || {
            let span = with_remote(&propagator.extract(&pairs(fields), policy), || info_span!("request"));
            let inner = span.in_scope(|| info_span!("inner"));
            let context = inner.context();
            let mut next: Vec<(String, String)> = Vec::new();
            propagator.inject(&context, &mut next);
            let state =
                next.first().and_then(|(_, value)| value.rsplit(['-', ':', '=']).next().map(str::to_owned));
            (context.span().unwrap().clone(), state.unwrap())
        })
    }

    #[test]
    fn what_formats_say_of_sampling_reaches_the_spans_and_the_next_hop() {
        const IDS: &str = "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331";
        let (trust, edge) = (EdgePolicy::trust(), EdgePolicy::edge());
        let denied = format!("{IDS}-0");
        let debug = format!("{IDS}-d");
        let xray = "Root=1-0af76519-16cd43dd8448eb211c80319c;Parent=b7ad6b7169203331;Sampled=?";
        for (format, field, policy, sampled, is_debug, next) in [
            (B3, ("b3", denied.as_str()), &trust, false, false, "0"),
            // Left open: a new decision, which the next hop is told.
            (B3, ("b3", IDS), &trust, true, false, "1"),
            (XRay, ("x-amzn-trace-id", xray), &trust, true, false, "1"),
            // A decision without ids holds for the trace that starts here.
            (B3, ("b3", "0"), &trust, false, false, "0"),
            (B3, ("b3", "1"), &trust, true, false, "1"),
            // Debug is kept, and goes on from span to span.
            (B3, ("b3", &debug), &trust, true, true, "d"),
            (B3, ("b3", "d"), &trust, true, true, "d"),
            (Jaeger, ("uber-trace-id", "1:2:0:3"), &trust, true, true, "3"),
            // An edge that decides anew believes none of it.
            (B3, ("b3", &debug), &edge, true, false, "1"),
            (B3, ("b3", "0"), &edge, true, false, "1"),
            (B3, ("b3", "d"), &edge, true, false, "1"),
        ] {
            let (span, state) = below(format, &[field], policy);
            assert_eq!(
                (span.is_sampled(), span.is_debug(), state.as_str()),
                (sampled, is_debug, next),
                "{field:?}"
            );
            assert!(!span.is_deferred(), "{field:?}");
        }
    }
}
