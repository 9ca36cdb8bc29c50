//! What is not sent again, and what that costs: nothing.

use std::{
    error::Error,
    io,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use http::{Method, Request, Response};
use throughline_core::{Context, Metric};
use throughline_resilience::{
    Refused,
    breaker::{self, BreakerError},
    retry::{self, EveryError, RetryLayer},
    timeout::{self, TimeoutError},
};
use throughline_testing::{Capture, Measurement};
use tokio::time::Instant;
use tower::{BoxError, Layer, Service, ServiceBuilder, ServiceExt, service_fn};

use crate::told::{request, told_of};

/// More calls than a budget of one a second has resends, which is ten.
const MANY: usize = 20;

/// What a busy service asks for.
const PAUSE: Duration = Duration::from_secs(2);

type Sent = Arc<AtomicUsize>;

/// A client that answers with `answer`, given how often it was asked before, and how often that was.
fn client<E>(
    answer: impl Fn(usize) -> Result<Response<()>, E> + Clone,
) -> (impl Service<Request<()>, Response = Response<()>, Error = E, Future: Send> + Clone, Sent)
where
    E: Send,
{
    let sent = Sent::default();
    let counted = Arc::clone(&sent);
    let service =
        service_fn(move |_: Request<()>| std::future::ready(answer(counted.fetch_add(1, Ordering::Relaxed))));
    (service, sent)
}

fn status(status: u16) -> Result<Response<()>, io::Error> {
    Ok(Response::builder().status(status).body(()).unwrap())
}

/// An answer that says when to come back: a pause that isn't drawn by lot.
fn busy() -> Result<Response<()>, io::Error> {
    Ok(Response::builder().status(503).header("retry-after", PAUSE.as_secs()).body(()).unwrap())
}

/// Runs `work` in a span, and returns what is said of the retry there.
async fn told<T>(capture: &Capture, work: impl Future<Output = T>) -> (T, String) {
    told_of("retry.", capture, work).await
}

/// How often `layer` sends a call again that fails once.
async fn resends<P>(layer: &RetryLayer<P>) -> usize
where
    P: retry::ResendErrors<io::Error> + Clone,
{
    let (service, sent) = client(|before| status(if before == 0 { 503 } else { 404 }));
    layer.layer(service).oneshot(request()).await.unwrap();
    sent.load(Ordering::Relaxed) - 1
}

// ---- refusals ----

#[tokio::test(start_paused = true)]
async fn what_an_open_breaker_refuses_is_not_sent_again_and_costs_nothing() {
    let capture = Capture::new("gateway");
    let _guard = capture.install();
    let (broken, sent) = client(|_| status(503));
    let breaker = breaker::builder("users").failures(1).build();
    breaker.layer(broken.clone()).oneshot(request()).await.unwrap();
    let layer = retry::layer("users").budget(0.0, 1);
    let service = ServiceBuilder::new().layer(layer.clone()).layer(breaker).service(broken);
    let started = Instant::now();
    for _ in 0..MANY {
        let (refused, told) = told(&capture, service.clone().oneshot(request())).await;
        assert!(matches!(refused, Err(BreakerError::Open { name: "users" })));
        assert_eq!(told, "end=refused resends=0");
    }
    assert_eq!((sent.load(Ordering::Relaxed), started.elapsed()), (1, Duration::ZERO));
    let measured = capture.measurements(Metric::ResilienceDecisions);
    let is = |one: &Measurement, wanted: &[&str]| {
        one.attributes.iter().map(|(_, value)| value.as_str()).eq(wanted.iter().copied())
    };
    let count = |wanted: &[&str]| measured.iter().filter(|one| is(one, wanted)).count();
    assert_eq!(count(&["breaker", "users", "rejected"]), MANY, "once a call");
    assert_eq!(count(&["retry", "users", "refused"]), MANY);
    assert_eq!(resends(&layer).await, 1, "the budget is as it was");
}

#[tokio::test(start_paused = true)]
async fn a_breaker_that_opens_meanwhile_ends_the_resends() {
    let capture = Capture::new("gateway");
    let _guard = capture.install();
    let (broken, sent) = client(|_| status(503));
    let breaker = breaker::builder("users").failures(2).build();
    let service = ServiceBuilder::new().layer(retry::layer("users")).layer(breaker).service(broken);
    let (refused, told) = told(&capture, service.oneshot(request())).await;
    assert!(matches!(refused, Err(BreakerError::Open { .. })));
    assert_eq!((sent.load(Ordering::Relaxed), told.as_str()), (2, "end=refused resends=2"));
}

#[test]
fn a_refusal_is_found_under_other_errors() {
    let open = || BreakerError::<io::Error>::Open { name: "users" };
    assert!(Refused::is_in(&Refused) && Refused::is_in(&open()));
    assert!(Refused::is_in(&TimeoutError::Inner(BreakerError::Inner(open()))));
    assert!(Refused::is_in(&io::Error::other(open())));
    let failed: [Box<dyn Error>; 3] = [
        Box::new(BreakerError::Inner(io::Error::other("reset"))),
        Box::new(TimeoutError::<io::Error>::Elapsed { after: Duration::ZERO }),
        "nothing was sent".into(),
    ];
    assert!(failed.iter().all(|error| !Refused::is_in(&**error)));
}

#[tokio::test(start_paused = true)]
async fn who_asks_decides_after_which_errors() {
    let fails = |error: fn() -> BoxError| client(move |_| Err(error()));
    let layer = || retry::layer("users");
    let unless_refused = |error: &BoxError| !Refused::is_in(&**error);
    for (error, expected) in [((|| "reset".into()) as fn() -> BoxError, 4), (|| Refused.into(), 1)] {
        let (service, sent) = fails(error);
        layer().errors(unless_refused).layer(service).oneshot(request()).await.unwrap_err();
        assert_eq!(sent.load(Ordering::Relaxed), expected);

        let (service, sent) = fails(error);
        layer().errors(EveryError).layer(service).oneshot(request()).await.unwrap_err();
        assert_eq!(sent.load(Ordering::Relaxed), 4);
    }
}

// ---- deadline ----

#[tokio::test(start_paused = true)]
async fn nothing_is_sent_again_for_which_nobody_would_wait() {
    let capture = Capture::new("orders");
    let _guard = capture.install();
    for (left, end, waited) in [
        (PAUSE + Duration::from_nanos(1), "end=answered resends=1", PAUSE),
        (PAUSE, "end=out_of_time resends=0", Duration::ZERO),
        (Duration::ZERO, "end=out_of_time resends=0", Duration::ZERO),
    ] {
        let (service, _) = client(|before| if before == 0 { busy() } else { status(200) });
        let started = Instant::now();
        let _within = Context::current().with_deadline((started + left).into_std()).enter();
        let (_, told) = told(&capture, retry::layer("users").layer(service).oneshot(request())).await;
        assert_eq!((told.as_str(), started.elapsed()), (end, waited), "{left:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_comes_too_late_takes_nothing_from_the_budget() {
    let layer = retry::layer("users").budget(0.0, 1);
    {
        let _within = Context::current().with_deadline(Instant::now().into_std()).enter();
        for _ in 0..MANY {
            assert_eq!(resends(&layer).await, 0);
        }
    }
    assert_eq!(resends(&layer).await, 1);
}

#[tokio::test(start_paused = true)]
async fn the_deadline_of_a_server_ends_the_resends_of_its_handler() {
    for (left, expected) in [(1, 1), (60_000, 2)] {
        let (service, sent) = client(|before| if before == 0 { busy() } else { status(200) });
        let onward = retry::layer("users").layer(service);
        let handler = service_fn(move |_: Request<()>| onward.clone().oneshot(request()));
        let mut call = request();
        call.headers_mut().insert(timeout::HEADER, left.into());
        timeout::server().layer(handler).oneshot(call).await.unwrap();
        assert_eq!(sent.load(Ordering::Relaxed), expected, "{left} ms");
    }
}

// ---- budget ----

#[tokio::test(start_paused = true)]
async fn only_what_may_be_sent_twice_and_goes_well_allows_resends() {
    for (method, answer, allowed) in
        [(Method::GET, 200, 1), (Method::GET, 404, 0), (Method::GET, 503, 0), (Method::POST, 200, 0)]
    {
        let capture = Capture::new("gateway");
        let _guard = capture.install();
        let layer = retry::layer("users").budget(1.0, 0);
        let (service, sent) = client(move |_| status(answer));
        let mut call = request();
        call.method_mut().clone_from(&method);
        let (_, told) = told(&capture, layer.layer(service).oneshot(call)).await;
        assert_eq!(told.is_empty(), answer == 200, "{told}");
        assert_eq!(sent.load(Ordering::Relaxed), 1);
        assert_eq!(resends(&layer).await, allowed, "{method} {answer}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_budget_takes_any_rate_and_rounds_its_share_down() {
    let layer = retry::layer("users").budget(0.0, u32::MAX);
    assert_eq!(resends(&layer).await, 1);
    let layer = retry::layer("users").budget(0.6, 0);
    let (well, _) = client(|_| status(200));
    for _ in 0..MANY {
        layer.layer(well.clone()).oneshot(request()).await.unwrap();
    }
    let mut allowed = 0;
    while resends(&layer).await == 1 {
        allowed += 1;
    }
    assert_eq!(allowed, MANY / 2);
}
