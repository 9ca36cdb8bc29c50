//! More requests than there may be at once.

use std::{cell::Cell, future::pending};

use http::Request;
use throughline_resilience::shed;
use throughline_testing::Capture;
use tower::{ServiceBuilder, ServiceExt, service_fn};

use crate::told::{Answer, answer, decisions, messages, polled, request, told};

#[tokio::test]
async fn what_is_beyond_the_limit_is_refused_at_once() {
    let capture = Capture::new("orders");
    let _guard = capture.install();
    let begun = Cell::new(0);
    let hangs = service_fn(|_: Request<()>| {
        begun.set(begun.get() + 1);
        pending::<Answer>()
    });
    let layer = shed::layer("orders", 2);
    let service = ServiceBuilder::new().layer(layer.clone()).service(hangs);
    let mut first = Box::pin(service.clone().oneshot(request()));
    assert!(polled(first.as_mut()).await.is_pending());
    // Another service that the layer was put onto shares the limit.
    let other = ServiceBuilder::new().layer(layer.clone()).service(hangs);
    let mut second = Box::pin(other.oneshot(request()));
    assert!(polled(second.as_mut()).await.is_pending());
    for _ in 0..2 {
        let (refused, told) = told(&capture, service.clone().oneshot(request())).await;
        let refused = refused.unwrap();
        assert_eq!(
            (refused.status().as_u16(), &refused.headers()["retry-after"]),
            (503, &"1".parse().unwrap())
        );
        assert_eq!(told, "shed=orders");
    }
    assert_eq!((begun.get(), layer.under_way()), (2, 2));
    assert_eq!(messages(&capture), ["load shed"], "no line for each");
    assert_eq!(decisions(&capture), ["shed orders rejected"; 2]);

    // Whoever stops waiting makes room.
    drop(first);
    assert_eq!(layer.under_way(), 1);
    let mut third = Box::pin(service.oneshot(request()));
    assert!(polled(third.as_mut()).await.is_pending());
    assert_eq!(begun.get(), 3);
}

#[tokio::test]
async fn a_request_that_was_answered_or_has_panicked_makes_room() {
    let layer = shed::layer("orders", 1);
    for _ in 0..3 {
        let well = ServiceBuilder::new()
            .layer(layer.clone())
            .service(service_fn(async |_: Request<()>| answer(200)));
        assert_eq!(well.oneshot(request()).await.unwrap().status(), 200);
        let panics = service_fn(|_: Request<()>| -> std::future::Ready<Answer> { panic!("on purpose") });
        let panics = ServiceBuilder::new().layer(layer.clone()).service(panics);
        tokio::spawn(panics.oneshot(request())).await.unwrap_err();
    }
    assert_eq!(layer.under_way(), 0);
}
