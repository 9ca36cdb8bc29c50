//! In-process channels keep the contract, and what only channels promise.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests are tests, too")]

mod contract;

use std::convert::Infallible;

use contract::Broker;
use throughline_core::{EdgePolicy, Metric};
use throughline_messaging::{
    Processing, Relation,
    channel::{self, Batch, Delivery, Receiver, Sender},
};
use throughline_testing::{Capture, collector::Status};

struct InProcess {
    sender: Sender<String>,
    receiver: Receiver<String>,
}

impl Broker for InProcess {
    const SYSTEM: &'static str = "in_process";
    const SEND: &'static str = "send";
    const HAS_HEADERS: bool = false;

    type Received = Delivery<String>;

    async fn send(&self, body: &str) {
        self.sender.send(body.to_owned()).await.unwrap();
    }

    async fn send_raw(&self, _: &[(&str, &str)], _: &str) {
        unreachable!("there is no way past the adapter");
    }

    async fn forward(&self, received: Delivery<String>) {
        self.sender.forward(received).await.unwrap();
    }

    async fn receive(&mut self) -> Delivery<String> {
        self.receiver.recv().await.unwrap()
    }

    fn headers(_: &Delivery<String>) -> Vec<(String, String)> {
        Vec::new()
    }

    fn body(received: &Delivery<String>) -> String {
        received.get().clone()
    }

    fn process(&self, received: Delivery<String>, relation: Relation, _: EdgePolicy) -> Processing {
        received.relation(relation).processing().1
    }

    fn process_batch(&self, received: Vec<Delivery<String>>) -> Processing {
        Batch::from(received).processing().1
    }
}

#[tokio::test]
async fn a_bounded_channel_keeps_the_contract() {
    contract::keeps(async |name: &str| {
        let (sender, receiver) = channel::channel(name, 64);
        InProcess { sender, receiver }
    })
    .await;
}

#[tokio::test]
async fn an_unbounded_channel_keeps_the_contract() {
    contract::keeps(async |name: &str| {
        let (sender, receiver) = channel::unbounded(name);
        InProcess { sender, receiver }
    })
    .await;
}

#[tokio::test]
async fn many_at_once_have_a_receive_span_and_are_counted_once() {
    let capture = Capture::new("shop");
    let _installed = capture.install();
    let (sender, mut receiver) = channel::channel("orders", 8);
    for order in 0..3 {
        sender.send(order).await.unwrap();
    }
    let batch = receiver.recv_many(8).await.unwrap();
    let handled = batch.process(async |orders: Vec<i32>| Ok::<_, Infallible>(orders)).await;
    assert_eq!(handled, Ok(vec![0, 1, 2]));
    assert_eq!(
        capture.tree(),
        "shop: send orders (producer) #1\n\
         shop: send orders (producer) #2\n\
         shop: send orders (producer) #3\n\
         shop: receive orders (client) #4 links #1 #2 #3\n\
         shop: process orders (consumer) #5 links #1 #2 #3"
    );
    assert_eq!(capture.total(Metric::MessagingConsumed), 3.0);

    for order in 0..2 {
        sender.send(order).await.unwrap();
    }
    for delivery in receiver.recv_many(8).await.unwrap().into_deliveries() {
        delivery.process(async |_| ()).await;
    }
    assert_eq!(capture.total(Metric::MessagingConsumed), 5.0);
}

#[tokio::test]
async fn time_in_the_queue_is_on_the_process_span() {
    let capture = Capture::new("shop");
    let _installed = capture.install();
    let (sender, mut receiver) = channel::channel("orders", 8);
    sender.send(1).await.unwrap();
    receiver.recv().await.unwrap().process(async |_| ()).await;
    let span = capture.span("process orders");
    let queued = span.attribute("throughline.messaging.queue_time_ms").unwrap().as_f64().unwrap();
    assert!((0.0..60_000.0).contains(&queued), "{queued}");
}

#[tokio::test]
async fn a_message_that_cannot_be_sent_comes_back() {
    let capture = Capture::new("shop");
    let _installed = capture.install();
    let (sender, receiver) = channel::channel("orders", 1);
    sender.try_send(1).unwrap();
    let full = sender.try_send(2).unwrap_err();
    assert!(!full.is_closed());
    assert_eq!((full.to_string().as_str(), full.into_inner()), ("the channel is full", 2));
    drop(receiver);
    let closed = sender.send(3).await.unwrap_err();
    assert!(closed.is_closed());
    assert_eq!(closed.into_inner(), 3);

    let kinds: Vec<_> = capture
        .spans()
        .iter()
        .map(|span| span.attribute("error.type").and_then(|kind| kind.as_str()).map(str::to_owned))
        .collect();
    assert_eq!(kinds, [None, Some("full".to_owned()), Some("closed".to_owned())]);
}

#[tokio::test]
async fn an_error_may_log_while_it_is_written() {
    struct Chatty;
    impl std::fmt::Display for Chatty {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            tracing::info_span!("inner").in_scope(|| tracing::info!("asked for its message"));
            f.write_str("no apples")
        }
    }
    let capture = Capture::new("shop");
    let _installed = capture.install();
    let (sender, mut receiver) = channel::channel("orders", 1);
    sender.send(1).await.unwrap();
    let handled = receiver.recv().await.unwrap().process(async |_| Err::<(), _>(Chatty)).await;
    assert!(handled.is_err());
    let status = capture.span("process orders").status.clone();
    assert_eq!(status, Status::Error { message: "no apples".to_owned() });
}

#[tokio::test]
async fn a_sender_that_gives_up_has_sent_nothing() {
    let capture = Capture::new("shop");
    let _installed = capture.install();
    let (sender, mut receiver) = channel::channel("orders", 1);
    sender.send(1).await.unwrap();
    tokio::select! {
        biased;
        _ = sender.send(2) => unreachable!("there is no room"),
        () = async {} => {}
    }
    drop(sender);
    assert_eq!(receiver.recv().await.unwrap().into_parts().0, 1);
    assert!(receiver.recv().await.is_none());
    let given_up = capture.spans().pop().unwrap();
    assert_eq!(given_up.attribute("throughline.messaging.end").unwrap().as_str(), Some("cancelled"));
    assert!(!given_up.status.is_error(), "its caller gave up, it didn't fail");
}
