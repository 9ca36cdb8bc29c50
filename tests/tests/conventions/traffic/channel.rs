//! Channels in the process: one message, several, one that fails, one that is sent on.

use throughline::messaging::channel::{Sender, channel};

pub(crate) async fn run() {
    let (orders, mut incoming) = channel("orders", 8);
    for order in 0..4 {
        orders.send(order).await.unwrap();
    }
    // Handled as a worker does, in a task of its own.
    let worker = tokio::spawn(async move {
        let first = incoming.recv().await.unwrap();
        first.process(async |order: i32| tracing::info!(order, "packed")).await;
        let second = incoming.recv().await.unwrap();
        second.process(async |_| Err::<(), _>(std::fmt::Error)).await.unwrap_err();
        let rest = incoming.recv_many(8).await.unwrap();
        rest.process(async |orders: Vec<i32>| assert_eq!(orders.len(), 2)).await;
        incoming
    });
    let mut incoming = worker.await.unwrap();
    orders.send(5).await.unwrap();
    forward(&orders, incoming.recv().await.unwrap()).await;
    drop(incoming);
    orders.send(6).await.unwrap_err();
}

async fn forward(to: &Sender<i32>, delivery: throughline::messaging::channel::Delivery<i32>) {
    to.forward(delivery).await.unwrap();
}
