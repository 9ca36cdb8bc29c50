//! What the services of these tests do: everything that puts an attribute on a span.

#[path = "../../../../crates/throughline-messaging/tests/mqtt_broker/mod.rs"]
mod mqtt_broker;
#[path = "../../../../crates/throughline-http/tests/grpc/stock.rs"]
mod stock;

mod channel;
mod database;
mod grpc;
mod http;
mod mqtt;
mod outbox;
mod resilience;

use throughline::{Baggage, Context, CorrelationId, core::with_remote};
use tracing::Instrument;

/// Every hop, inside one request of a customer.
pub(crate) async fn run() {
    let id = CorrelationId::parse(b"customer-1").unwrap();
    let baggage = Baggage::default().insert("tenant", "acme").unwrap();
    let context = Context::default().with_correlation_id(id).with_baggage(baggage);
    let customer = with_remote(&context, || tracing::info_span!("customer"));
    async {
        tracing::info!("begins");
        http::run().await;
        grpc::run().await;
        channel::run().await;
        mqtt::run().await;
        outbox::run().await;
        database::run().await;
        resilience::run().await;
    }
    .instrument(customer)
    .await;
}
