//! When a breaker opens, what it lets through, and when it closes.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use http::Request;
use throughline_resilience::breaker::{self, BreakerError};
use throughline_testing::Capture;
use tower::{ServiceBuilder, ServiceExt, service_fn};

use crate::told::{answer, decisions, messages, request, told};

#[tokio::test(start_paused = true)]
async fn a_breaker_opens_after_five_failures_in_a_row_and_sends_nothing() {
    let capture = Capture::new("gateway");
    let _guard = capture.install();
    let calls = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&calls);
    let broken = service_fn(move |_: Request<()>| {
        counted.fetch_add(1, Ordering::Relaxed);
        std::future::ready(answer(503))
    });
    let layer = breaker::http("users");
    let service = ServiceBuilder::new().layer(layer.clone()).service(broken);
    for _ in 0..5 {
        let (answered, told) = told(&capture, service.clone().oneshot(request())).await;
        assert_eq!(answered.unwrap().status(), 503);
        assert_eq!(told, "breaker.name=users breaker.state=closed");
    }
    for _ in 0..3 {
        let (refused, told) = told(&capture, service.clone().oneshot(request())).await;
        assert!(matches!(refused, Err(BreakerError::Open { name: "users" })));
        assert_eq!(told, "breaker.name=users breaker.rejected=true breaker.state=open");
    }
    assert_eq!((calls.load(Ordering::Relaxed), layer.state()), (5, "open"));
    assert_eq!(messages(&capture), ["breaker opened"], "one line a transition, none a call");
    assert_eq!(
        decisions(&capture),
        ["breaker users open", "breaker users rejected", "breaker users rejected", "breaker users rejected"]
    );
}

#[tokio::test]
async fn a_breaker_tries_again_and_closes_when_all_trials_succeed() {
    for (recovered, state, lines) in [
        (true, "closed", vec!["breaker opened", "breaker changed", "breaker changed"]),
        (false, "open", vec!["breaker opened", "breaker changed", "breaker opened"]),
    ] {
        let capture = Capture::new("gateway");
        let _guard = capture.install();
        let (well, is_well) = tokio::sync::watch::channel(false);
        let service = service_fn(move |_: Request<()>| {
            std::future::ready(answer(if *is_well.borrow() { 200 } else { 500 }))
        });
        let layer =
            breaker::builder("users").failures(2).open_for(Duration::from_millis(20)).trials(2).build();
        let service = ServiceBuilder::new().layer(layer.clone()).service(service);
        for _ in 0..2 {
            service.clone().oneshot(request()).await.unwrap();
        }
        assert_eq!(layer.state(), "open");
        well.send_replace(recovered);
        // Until a call is let through.
        let deadline = tokio::time::Instant::now() + Duration::from_secs(10);
        while service.clone().oneshot(request()).await.is_err() {
            assert!(tokio::time::Instant::now() < deadline);
            tokio::task::yield_now().await;
        }
        if recovered {
            assert_eq!(layer.state(), "half_open");
            service.clone().oneshot(request()).await.unwrap();
        }
        assert_eq!(layer.state(), state);
        assert_eq!(messages(&capture), lines);
    }
}
