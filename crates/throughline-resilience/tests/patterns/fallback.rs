//! The answer instead.

use std::{cell::Cell, io};

use http::{Request, Response, StatusCode};
use throughline_resilience::fallback;
use throughline_testing::Capture;
use tower::{ServiceBuilder, ServiceExt, service_fn};

use crate::told::{answer, request, told};

#[tokio::test]
async fn a_failure_is_answered_by_the_fallback_and_says_so() {
    for (broken, reason) in
        [(Err(io::Error::other("token=secret")), "std::io::error::Error"), (answer(502), "502")]
    {
        let capture = Capture::new("gateway");
        let _guard = capture.install();
        let broken = Cell::new(Some(broken));
        let service = service_fn(|_: Request<()>| std::future::ready(broken.take().unwrap()));
        let service = ServiceBuilder::new()
            .layer(fallback::layer("recommendations", |_| Response::new(())))
            .service(service);
        let (answered, told) = told(&capture, service.oneshot(request())).await;
        let answered = answered.unwrap();
        assert_eq!(
            (answered.status(), &answered.headers()[fallback::HEADER]),
            (StatusCode::OK, &"recommendations".parse().unwrap())
        );
        assert_eq!(told, format!("degraded=recommendations degraded.reason={reason}"));
        let mut own = http::HeaderMap::new();
        fallback::carry_over(answered.headers(), &mut own);
        assert_eq!(own[fallback::HEADER], "recommendations");
    }
}

#[tokio::test]
async fn what_goes_well_is_left_alone() {
    let capture = Capture::new("gateway");
    let _guard = capture.install();
    let service = service_fn(|_: Request<()>| std::future::ready(answer(404)));
    let service =
        ServiceBuilder::new().layer(fallback::layer("users", |_| Response::new(()))).service(service);
    let (answered, told) = told(&capture, service.oneshot(request())).await;
    assert_eq!((answered.unwrap().status().as_u16(), told.as_str()), (404, ""));
}
