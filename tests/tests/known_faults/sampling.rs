//! What is recorded at all.

use throughline::{
    Context, EdgePolicy,
    core::{ParentBased, Propagator, TraceIdRatio, with_remote},
};
use throughline_testing::Capture;

use crate::scene::{TRACE, headers};

/// Log lines and traces are decided apart: a line points to a trace that nobody kept.
#[test]
fn a_line_says_whether_its_trace_is_kept() {
    for (flags, kept) in [("01", 1), ("00", 0)] {
        let capture = Capture::new("orders");
        capture.run(|| {
            let parent = format!("00-{TRACE}-b7ad6b7169203331-{flags}");
            let incoming =
                Propagator::default().extract(&headers(&[("traceparent", &parent)]), &EdgePolicy::trust());
            with_remote(&incoming, || tracing::info_span!("order")).in_scope(|| tracing::info!("accepted"));
        });
        assert_eq!(capture.spans().len(), kept);
        assert_eq!(capture.lines()[0]["trace_flags"], flags);
    }
}

/// Without the random bit, services downstream decide differently for one trace.
#[test]
fn one_trace_has_one_decision() {
    for _ in 0..100 {
        let build = || {
            let half = TraceIdRatio::new(0.5).unwrap();
            Capture::builder("service").sampler(ParentBased::new(half)).build()
        };
        let (first, second) = (build(), build());
        let sent = first.run(|| tracing::info_span!("first").in_scope(|| first.headers(&Context::current())));
        second.run(|| {
            let incoming = Propagator::default().extract(&sent, &EdgePolicy::trust());
            drop(with_remote(&incoming, || tracing::info_span!("second")));
        });
        assert_eq!(first.spans().len(), second.spans().len());
    }
}
