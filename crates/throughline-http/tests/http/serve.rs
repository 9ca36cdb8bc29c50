//! A real server for one test.

use std::net::SocketAddr;

use axum::Router;
use tracing::instrument::WithSubscriber;

/// Serves `app` on a port of its own, HTTP/1 and HTTP/2, under this thread's subscriber.
pub(crate) async fn serve(app: Router) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(axum::serve(listener, app).into_future().with_current_subscriber());
    address
}
