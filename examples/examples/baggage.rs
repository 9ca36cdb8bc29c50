//! Tell every service behind yours something: baggage, set by one service and read by the next.
//!
//! ```text
//! cargo run -p examples --example baggage
//! ```
//!
//! The shop learns the tenant from a header and puts it into the baggage; the price service, which nobody told, reads it
//! there. You will see three log lines in one trace. `baggage.tenant` is on each that was written after that, because the
//! key is on the list of those that may be told.

#![expect(clippy::print_stdout, reason = "says in the end what was exported")]

use std::{error::Error, net::SocketAddr, time::Duration};

use axum::{
    Router,
    extract::State,
    http::{HeaderMap, StatusCode},
    routing::get,
};
use throughline::{
    Baggage, Carry, Context,
    core::BaggageFields,
    http::reqwest::{Client, traced},
};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let telemetry = throughline::builder("shop").baggage_fields(BaggageFields::new(["tenant"])).install()?;
    let prices = serve(prices()).await?;
    let http = traced(reqwest::Client::builder())?;
    let shop = serve(shop(http, format!("http://{prices}/price"))).await?;

    let request = reqwest::Client::new().get(format!("http://{shop}/umbrella")).header("x-tenant", "acme");
    let price = request.send().await?.error_for_status()?.text().await?;
    println!("{price}");
    println!("{}", telemetry.shutdown(Duration::from_secs(5)).await);
    Ok(())
}

async fn serve(app: Router) -> Result<SocketAddr, std::io::Error> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move { axum::serve(listener, app).await });
    Ok(address)
}

/// The first service: it knows the tenant.
fn shop(http: Client, prices: String) -> Router {
    Router::new()
        .route("/umbrella", get(umbrella))
        .with_state((http, prices))
        .layer(throughline::http::server())
}

async fn umbrella(
    State((http, prices)): State<(Client, String)>,
    headers: HeaderMap,
) -> Result<String, StatusCode> {
    tracing::info!("asked for an umbrella");
    let tenant = headers.get("x-tenant").and_then(|value| value.to_str().ok()).unwrap_or("nobody");
    let baggage = Baggage::default().insert("tenant", tenant).map_err(|_| StatusCode::BAD_REQUEST)?;
    let context = Context::current().with_baggage(baggage);
    // Whatever is called in here, at however many hops, has it.
    price(&http, &prices).carry_in(context).await.map_err(|_| StatusCode::BAD_GATEWAY)
}

async fn price(http: &Client, prices: &str) -> Result<String, reqwest::Error> {
    let price = http.get(prices).send().await?.error_for_status()?.text().await?;
    tracing::info!(price, "price found");
    Ok(price)
}

/// The second service: it has never heard of the header.
fn prices() -> Router {
    let price = async || {
        let context = Context::current();
        let tenant = context.baggage().get("tenant").unwrap_or("nobody");
        tracing::info!(tenant, "price asked for");
        if tenant == "acme" { "9 for acme" } else { "10" }
    };
    Router::new().route("/price", get(price)).layer(throughline::http::server())
}
