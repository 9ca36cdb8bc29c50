//! An HTTP service on a free port, with one line of throughline.

use std::{error::Error, net::Ipv4Addr};

use axum::Router;
use tokio::net::TcpListener;

/// Serves `routes` on a free port of the loopback interface until SIGTERM or SIGINT; tells the demo where.
pub(super) async fn serve(routes: Router) -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    println!("listening {}", listener.local_addr()?);
    let app = routes.layer(throughline::http::server());
    axum::serve(listener, app).with_graceful_shutdown(throughline::shutdown_signal()).await?;
    Ok(())
}
