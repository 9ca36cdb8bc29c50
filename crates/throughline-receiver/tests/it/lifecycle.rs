//! Starting, stopping and starting again.

use std::{
    net::{SocketAddr, TcpListener},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use opentelemetry_proto::tonic::collector::trace::v1::trace_service_client::TraceServiceClient;
use throughline_receiver::{Behaviour, Listen, Outcome, Receiver, ReceiverError};
use tracing::{Event, Metadata, Subscriber, span};

use crate::client::{SOON, TestResult, export_grpc, export_http, spans};

#[test]
fn a_busy_port_is_named() {
    let busy = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = busy.local_addr().unwrap();
    for (builder, protocol) in [
        (Receiver::builder().grpc_addr(addr), "OTLP/gRPC"),
        (Receiver::builder().http_addr(addr), "OTLP/HTTP"),
    ] {
        let error = builder.start_blocking().unwrap_err();
        assert!(matches!(error, ReceiverError::Bind { addr: named, .. } if named == addr));
        assert!(
            error.to_string().starts_with(&format!("cannot listen for {protocol} on {addr}: ")),
            "{error}"
        );
    }
}

#[test]
fn without_a_runtime_start_says_what_to_do() {
    let mut future = std::pin::pin!(Receiver::start());
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    let std::task::Poll::Ready(Err(error)) = future.as_mut().poll(&mut context) else {
        panic!("an error at once")
    };
    assert_eq!(error.to_string(), "no tokio runtime here: call start_blocking instead");
}

#[tokio::test]
async fn one_protocol_alone() -> TestResult {
    let receiver = Receiver::builder().listen(Listen::GrpcOnly).start().await?;
    assert!(receiver.grpc_addr().is_some() && receiver.http_addr().is_none());
    let receiver = Receiver::builder().listen(Listen::HttpOnly).start().await?;
    assert!(receiver.grpc_addr().is_none() && receiver.http_addr().is_some());
    Ok(())
}

/// As with a Collector: a client that is configured for the other protocol fails, and so shows its mistake.
#[tokio::test]
async fn each_port_speaks_its_own_protocol_only() -> TestResult {
    let receiver = Receiver::start().await?;
    let url = format!("{}/v1/traces", receiver.grpc_endpoint());
    assert!(reqwest::Client::new().post(url).body("").send().await.is_err());
    let client = TraceServiceClient::connect(receiver.http_endpoint()).await;
    let answer = match client {
        Ok(mut client) => client.export(spans(&["a"])).await.map_err(|status| status.to_string()),
        Err(error) => Err(error.to_string()),
    };
    assert!(answer.is_err());
    assert_eq!(receiver.requests(), []);
    Ok(())
}

#[tokio::test]
async fn an_endpoint_of_every_address_is_reached_at_the_loopback_one() -> TestResult {
    let receiver = Receiver::builder().http_addr("0.0.0.0:0".parse()?).start().await?;
    assert_eq!(
        receiver.http_endpoint(),
        format!("http://127.0.0.1:{}", receiver.http_addr().unwrap().port())
    );
    assert_eq!(export_http(&receiver, &spans(&["a"])).await?.status(), 200);
    Ok(())
}

/// The collector goes down and comes back: refused connections between, the same ports and data after.
#[tokio::test]
async fn stop_and_restart_on_the_runtime() -> TestResult {
    down_and_up(Receiver::start().await?).await
}

#[tokio::test]
async fn stop_and_restart_on_its_own_thread() -> TestResult {
    down_and_up(Receiver::start_blocking()?).await
}

async fn down_and_up(receiver: Receiver) -> TestResult {
    let endpoints = (receiver.grpc_endpoint(), receiver.http_endpoint());
    export_http(&receiver, &spans(&["before"])).await?;

    receiver.stop().await;
    receiver.stop().await;
    assert!(export_http(&receiver, &spans(&["lost"])).await.unwrap_err().is_connect());
    assert!(export_grpc(&receiver, spans(&["lost"])).await.is_err());
    assert_eq!(receiver.spans().len(), 1);

    receiver.restart()?;
    receiver.restart()?;
    assert_eq!((receiver.grpc_endpoint(), receiver.http_endpoint()), endpoints);
    export_grpc(&receiver, spans(&["after"])).await?;
    assert_eq!(receiver.spans().len(), 2);
    Ok(())
}

#[tokio::test]
async fn a_stopped_receivers_port_can_be_taken_by_another() -> TestResult {
    let first = Receiver::start().await?;
    let (grpc, http): (SocketAddr, SocketAddr) = (first.grpc_addr().unwrap(), first.http_addr().unwrap());
    first.stop().await;
    let second = Receiver::builder().grpc_addr(grpc).http_addr(http).start().await?;
    export_http(&second, &spans(&["a"])).await?;
    assert!(matches!(first.restart(), Err(ReceiverError::Bind { .. })));
    assert_eq!((first.spans().len(), second.spans().len()), (0, 1));
    Ok(())
}

#[tokio::test]
async fn stopping_cuts_what_hangs() -> TestResult {
    let receiver = Arc::new(Receiver::start().await?);
    receiver.behave(Behaviour::Hang);
    let request = tokio::spawn({
        let receiver = Arc::clone(&receiver);
        async move { export_http(&receiver, &spans(&["a"])).await }
    });
    receiver.wait_for(|received| received.counts().requests == 1, SOON).await?;
    receiver.stop().await;
    assert!(request.await?.is_err());
    assert_eq!(receiver.requests()[0].outcome, Outcome::Abandoned);
    Ok(())
}

#[test]
fn without_any_runtime() -> TestResult {
    let receiver = Receiver::start_blocking()?;
    let received = receiver.received().clone();
    let client = std::thread::spawn({
        let url = format!("{}/v1/traces", receiver.http_endpoint());
        move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            let body = prost::Message::encode_to_vec(&spans(&["a"]));
            let request =
                reqwest::Client::new().post(url).header("content-type", "application/x-protobuf").body(body);
            runtime.block_on(request.send()).unwrap().status().as_u16()
        }
    });
    receiver.wait_for_spans_blocking(1, SOON)?;
    assert_eq!(client.join().unwrap(), 200);
    let addr = receiver.http_addr().unwrap();
    drop(receiver);
    assert!(std::net::TcpStream::connect(addr).is_err());
    assert_eq!(received.spans()[0].name, "a");
    Ok(())
}

#[test]
fn a_runtime_that_ends_takes_the_receiver_along() -> TestResult {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let receiver = runtime.block_on(Receiver::start())?;
    drop(runtime);
    receiver.stop_blocking();
    assert!(std::net::TcpStream::connect(receiver.http_addr().unwrap()).is_err());
    Ok(())
}

/// Counts every span and event that reaches it.
#[derive(Clone, Default)]
struct Counter(Arc<AtomicU64>);

impl Subscriber for Counter {
    fn enabled(&self, _metadata: &Metadata<'_>) -> bool {
        true
    }
    fn new_span(&self, _attributes: &span::Attributes<'_>) -> span::Id {
        self.0.fetch_add(1, Ordering::Relaxed);
        span::Id::from_u64(1)
    }
    fn record(&self, _span: &span::Id, _values: &span::Record<'_>) {}
    fn record_follows_from(&self, _span: &span::Id, _follows: &span::Id) {}
    fn event(&self, _event: &Event<'_>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
    fn enter(&self, _span: &span::Id) {}
    fn exit(&self, _span: &span::Id) {}
}

#[test]
fn it_makes_no_telemetry() -> TestResult {
    let counter = Counter::default();
    // The receiver's runtime sees a subscriber on each of its threads; the client's runtime sees none.
    let dispatch = tracing::Dispatch::new(counter.clone());
    let server = tracing::dispatcher::with_default(&dispatch, || {
        tokio::runtime::Builder::new_current_thread().enable_all().build()
    })?;
    let (sender, addresses) = std::sync::mpsc::channel();
    let (done, finished) = tokio::sync::oneshot::channel::<()>();
    let thread = std::thread::spawn(move || {
        tracing::dispatcher::with_default(&dispatch, || {
            server.block_on(async {
                let receiver = Arc::new(Receiver::start().await.unwrap());
                sender.send(Arc::clone(&receiver)).unwrap();
                finished.await.unwrap();
            });
        });
    });
    let receiver = addresses.recv()?;
    let client = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    client.block_on(async {
        export_grpc(&receiver, spans(&["a"])).await?;
        export_http(&receiver, &spans(&["b"])).await?;
        TestResult::Ok(())
    })?;
    assert_eq!(receiver.spans().len(), 2);
    done.send(()).unwrap();
    thread.join().unwrap();
    assert_eq!(counter.0.load(Ordering::Relaxed), 0);
    Ok(())
}
