//! What is sent again, and what the spans say of it.

use std::{
    cell::Cell,
    io,
    rc::Rc,
    sync::{Arc, Mutex},
    time::Duration,
};

use http::{Method, Request, Response};
use throughline_core::ResendCount;
use throughline_resilience::retry::{self, Idempotent, Throttled};
use throughline_testing::Capture;
use tower::{ServiceBuilder, ServiceExt, service_fn};

use crate::told::{answer, decisions, request, told};

type Scripted = tower::util::BoxCloneService<Request<()>, Response<()>, io::Error>;
type Seen = Arc<Mutex<Vec<u32>>>;

/// A service that answers with these, one after the other, and keeps the resend counts that it saw.
fn script(statuses: &'static [u16]) -> (Scripted, Seen) {
    let seen = Seen::default();
    let kept = Arc::clone(&seen);
    let service = service_fn(move |request: Request<()>| {
        let mut counts = kept.lock().unwrap();
        let count = request.extensions().get::<ResendCount>().copied().unwrap_or_default();
        let status = statuses.get(counts.len()).copied().unwrap_or(200);
        counts.push(count.0);
        std::future::ready(if status == 0 { Err(io::Error::other("reset")) } else { answer(status) })
    });
    (Scripted::new(service), seen)
}

#[tokio::test(start_paused = true)]
async fn what_is_sent_again_and_what_never_is() {
    for (statuses, layer, sent, end) in [
        (&[200][..], retry::layer("users"), vec![0], ""),
        (&[503, 0, 200], retry::layer("users"), vec![0, 1, 2], "retry.end=answered retry.resends=2"),
        (
            &[500, 500, 500, 500, 500],
            retry::layer("users"),
            vec![0, 1, 2, 3],
            "retry.end=too_many retry.resends=3",
        ),
        (&[404], retry::layer("users"), vec![0], "retry.end=not_worth_it retry.resends=0"),
        (&[429], retry::layer("users"), vec![0], "retry.end=not_worth_it retry.resends=0"),
        (
            &[429, 408],
            retry::layer("users").throttled(Throttled::Resend),
            vec![0, 1, 2],
            "retry.end=answered retry.resends=2",
        ),
        (&[503, 503], retry::layer("users").resends_max(1), vec![0, 1], "retry.end=too_many retry.resends=1"),
        (
            &[503, 503],
            retry::layer("users").budget(0.0, 0),
            vec![0],
            "retry.end=budget_spent retry.resends=0",
        ),
    ] {
        let capture = Capture::new("gateway");
        let _guard = capture.install();
        let (service, seen) = script(statuses);
        let service = ServiceBuilder::new().layer(layer).service(service);
        let (_, told) = told(&capture, service.oneshot(request())).await;
        assert_eq!((seen.lock().unwrap().clone(), told.as_str()), (sent, end), "{statuses:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_that_is_not_idempotent_is_sent_once_unless_it_says_otherwise() {
    let marked = || {
        let mut request = request();
        request.extensions_mut().insert(Idempotent);
        request
    };
    let keyed = || {
        let mut request = request();
        request.headers_mut().insert("idempotency-key", "order-17".parse().unwrap());
        request
    };
    for (make, sent) in
        [(Box::new(request) as Box<dyn Fn() -> Request<()>>, 1), (Box::new(marked), 2), (Box::new(keyed), 2)]
    {
        let (service, seen) = script(&[503, 200]);
        let mut request = make();
        *request.method_mut() = Method::POST;
        let answered =
            ServiceBuilder::new().layer(retry::layer("orders")).service(service).oneshot(request).await;
        assert_eq!((seen.lock().unwrap().len(), answered.unwrap().status().is_success()), (sent, sent == 2));
    }
}

#[tokio::test(start_paused = true)]
async fn a_retry_after_is_waited_for_unless_it_is_too_long() {
    for (asked, sent) in [("2", 2), ("3600", 1)] {
        let calls = Rc::new(Cell::new(0));
        let counted = Rc::clone(&calls);
        let service = service_fn(move |_: Request<()>| {
            counted.set(counted.get() + 1);
            let response = Response::builder().status(503).header("retry-after", asked).body(());
            std::future::ready(if counted.get() == 1 {
                Ok::<_, io::Error>(response.unwrap())
            } else {
                answer(200)
            })
        });
        let started = tokio::time::Instant::now();
        ServiceBuilder::new().layer(retry::layer("users")).service(service).oneshot(request()).await.unwrap();
        assert_eq!(calls.get(), sent);
        assert_eq!(started.elapsed(), if sent == 2 { Duration::from_secs(2) } else { Duration::ZERO });
    }
}

#[tokio::test(start_paused = true)]
async fn the_wait_between_attempts_is_seen() {
    let capture = Capture::new("gateway");
    let _guard = capture.install();
    let (service, _) = script(&[503, 200]);
    let service = ServiceBuilder::new().layer(retry::layer("users")).service(service);
    told(&capture, service.oneshot(request())).await.0.unwrap();
    let lines = capture.lines();
    assert_eq!((lines[0]["message"].as_str(), lines[0]["resend"].as_u64()), (Some("sending again"), Some(1)));
    assert_eq!(lines[0]["reason"], "Service Unavailable");
    assert!(lines[0]["pause_ms"].as_f64().unwrap() <= 100.0);
    assert_eq!(capture.span("caller").events.len(), 1);
    assert_eq!(decisions(&capture), ["retry users resent", "retry users answered"]);
}
