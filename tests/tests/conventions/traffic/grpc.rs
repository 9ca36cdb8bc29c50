//! gRPC: calls of each kind, failures, methods that nobody knows.

use throughline::http::grpc;
use tokio_stream::StreamExt;

use super::stock::{Traced, channel, serve, streaming, unary};

pub(crate) async fn run() {
    let address = serve().await;
    let stock: grpc::TracedClient<_> = channel(address);
    for item in ["umbrella", "5", "13"] {
        drop(unary(stock.clone(), "/shop.v1.Stock/Reserve", item).await);
    }
    drop(unary(stock.clone(), "/shop.v1.Stock/Missing", "umbrella").await);
    echo(stock).await;
}

async fn echo(stock: Traced) {
    let mut answers = streaming(stock, "/shop.v1.Stock/Echo", &["a", "b"]).await.unwrap();
    while let Some(answer) = answers.next().await {
        answer.unwrap();
    }
}
