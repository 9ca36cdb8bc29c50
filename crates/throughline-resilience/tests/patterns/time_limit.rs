//! Calls that take too long, and deadlines for the next hop.

use std::{
    cell::Cell,
    future::pending,
    io,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use http::Request;
use throughline_core::Context;
use throughline_resilience::timeout::{self, TimeoutError};
use throughline_testing::Capture;
use tower::{ServiceBuilder, ServiceExt, service_fn};

use crate::told::{Answer, answer, decisions, request, told};

#[tokio::test(start_paused = true)]
async fn a_call_that_takes_too_long_is_dropped() {
    let capture = Capture::new("gateway");
    let _guard = capture.install();
    let hangs = service_fn(|_: Request<()>| pending::<Answer>());
    let service = ServiceBuilder::new().layer(timeout::client()).service(hangs);
    let started = tokio::time::Instant::now();
    let (result, told) = told(&capture, service.oneshot(request())).await;
    assert!(matches!(result, Err(TimeoutError::Elapsed { after }) if after == Duration::from_secs(2)));
    assert_eq!(started.elapsed(), Duration::from_secs(2));
    assert_eq!(told, "timeout.elapsed=true timeout.ms=2000");
}

#[tokio::test(start_paused = true)]
async fn the_next_hop_is_told_what_is_left_and_shares_it() {
    let last = service_fn(|request: Request<()>| {
        let left: u64 = request.headers()[timeout::HEADER].to_str().unwrap().parse().unwrap();
        assert!((1..=60_000).contains(&left), "{left}");
        std::future::ready(answer(200))
    });
    let onward = timeout::client().limit(Duration::from_secs(3600));
    let onward = ServiceBuilder::new().layer(onward).service(last);
    let handler = service_fn(move |_: Request<()>| {
        assert!(Context::current().deadline().is_some());
        let onward = onward.clone();
        async move { onward.oneshot(request()).await.map_err(io::Error::other) }
    });
    let first = ServiceBuilder::new().layer(timeout::server()).service(handler);
    let client = ServiceBuilder::new().layer(timeout::client().limit(Duration::from_secs(60))).service(first);
    client.oneshot(request()).await.unwrap();
    assert_eq!(Context::current().deadline(), None);
}

#[tokio::test(start_paused = true)]
async fn where_no_time_is_left_nothing_is_sent() {
    let capture = Capture::new("orders");
    let _guard = capture.install();
    let sent = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&sent);
    let next = service_fn(move |_: Request<()>| {
        counted.fetch_add(1, Ordering::Relaxed);
        std::future::ready(answer(200))
    });
    let onward = ServiceBuilder::new().layer(timeout::client()).service(next);
    let handler = service_fn(move |_: Request<()>| {
        let onward = onward.clone();
        async move {
            let deadline = Context::current().deadline().unwrap();
            while std::time::Instant::now() < deadline {
                tokio::task::yield_now().await;
            }
            let refused = onward.oneshot(request()).await;
            assert!(matches!(refused, Err(TimeoutError::Elapsed { after: Duration::ZERO })));
            answer(200)
        }
    });
    let service = ServiceBuilder::new().layer(timeout::server()).service(handler);
    let mut request = request();
    request.headers_mut().insert(timeout::HEADER, "1".parse().unwrap());
    let (_, told) = told(&capture, service.oneshot(request)).await;
    assert_eq!(told, "timeout.elapsed=true timeout.ms=0");
    assert_eq!(
        (sent.load(Ordering::Relaxed), decisions(&capture)),
        (0, vec!["timeout client elapsed".to_owned()])
    );
}

#[tokio::test]
async fn what_comes_without_any_time_left_is_not_begun() {
    for (left, status, begun, seen) in [("0", 504, 0, "timeout.elapsed=true"), ("5000", 200, 1, "")] {
        let capture = Capture::new("orders");
        let _guard = capture.install();
        let calls = Cell::new(0);
        let handler = service_fn(|_: Request<()>| {
            calls.set(calls.get() + 1);
            std::future::ready(answer(200))
        });
        let service = ServiceBuilder::new().layer(timeout::server()).service(handler);
        let mut request = request();
        request.headers_mut().insert(timeout::HEADER, left.parse().unwrap());
        let (answered, told) = told(&capture, service.oneshot(request)).await;
        assert_eq!((answered.unwrap().status().as_u16(), calls.get(), told.as_str()), (status, begun, seen));
        assert_eq!(decisions(&capture).len(), 1 - begun);
    }
}
