//! MQTT 5 keeps the contract, through a broker in this process.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests are tests, too")]

mod contract;
mod mqtt_broker;
mod mqtt_client;

use std::{
    error::Error,
    net::{Ipv4Addr, TcpListener},
    time::{Duration, Instant},
};

use contract::Broker;
use mqtt_broker::{free_port, start_broker};
use mqtt_client::{DEADLINE, Mqtt, options};
use rumqttc::v5::{MqttOptions, mqttbytes::QoS};
use throughline_core::{Baggage, Carry, Context, with_remote};
use throughline_messaging::mqtt::{self, Publisher, Subscriber};
use throughline_testing::Capture;

#[tokio::test]
async fn mqtt_keeps_the_contract() {
    let port = start_broker().await;
    contract::keeps(async |topic: &str| Mqtt::connect(port, topic).await).await;
}

#[tokio::test]
async fn spans_name_client_broker_group_and_template() {
    let port = start_broker().await;
    let mut broker = Mqtt::connect(port, "devices/7/state").await;
    let capture = Capture::new("shop");
    let _installed = capture.install();
    let options = options(port, "devices/7/state");
    let publisher = Publisher::new(broker.client.clone(), &options).template("devices/{device}/state");
    publisher.publish("devices/7/state", QoS::AtLeastOnce, false, "on").await.unwrap();
    let message = broker.receive().await;
    let subscriber = Subscriber::new(&options).template("devices/{device}/state").group("watchers");
    subscriber.process(&message).run(async {}).await;
    subscriber.ack(&broker.client, &message).await.unwrap();

    assert_eq!(
        capture.tree(),
        "shop: publish devices/{device}/state (producer) #1\n\
         \x20 shop: process devices/{device}/state (consumer) #2\n\
         shop: ack devices/{device}/state (client) #3 links #1"
    );
    let span = capture.span("process devices/{device}/state");
    let text = |key| span.attribute(key).and_then(|value| value.as_str());
    assert_eq!(text("messaging.destination.name"), Some("devices/7/state"));
    assert_eq!(text("messaging.destination.template"), Some("devices/{device}/state"));
    assert_eq!(text("messaging.client.id"), Some("devices-7-state"));
    assert_eq!(text("messaging.consumer.group.name"), Some("watchers"));
    assert_eq!(text("server.address"), Some("127.0.0.1"));
    assert_eq!(span.attribute("server.port").and_then(|port| port.as_i64()), Some(port.into()));
    let properties = message.properties.unwrap();
    let id = &properties.user_properties.iter().find(|(name, _)| name == "x-correlation-id").unwrap().1;
    assert_eq!(properties.correlation_data.as_deref(), Some(id.as_bytes()), "mirrored for other clients");
}

#[tokio::test]
async fn the_plain_functions_do_it_too() {
    let port = start_broker().await;
    let mut broker = Mqtt::connect(port, "order/created").await;
    let capture = Capture::new("shop");
    let _installed = capture.install();
    mqtt::publish(&broker.client, "order/created", QoS::AtLeastOnce, false, "x").await.unwrap();
    let message = broker.receive().await;
    mqtt::process(&message).run(async {}).await;
    assert_eq!(
        capture.tree(),
        "shop: publish order/created (producer) #1\n\
         \x20 shop: process order/created (consumer) #2"
    );
}

#[tokio::test]
async fn baggage_stays_behind_rather_than_the_message() {
    let port = start_broker().await;
    // As a service has it that never thought of packet sizes.
    let options = MqttOptions::new("careless", "127.0.0.1", port);
    let mut broker = Mqtt::connect_as(options, "order/created").await;
    let capture = Capture::new("shop");
    let _installed = capture.install();
    let large = Baggage::default().insert("tenant", &"x".repeat(8_000)).unwrap();
    let payload = "y".repeat(4_000);
    with_remote(&Context::default().with_baggage(large), || broker.send(&payload).carry()).await;
    let message = broker.receive().await;
    assert_eq!(message.payload.len(), payload.len());
    mqtt::process(&message).run(async {}).await;

    assert_eq!(
        capture.tree(),
        "shop: publish order/created (producer) #1\n  shop: process order/created (consumer) #2"
    );
    let left_out = &capture.span("publish order/created").attributes;
    assert!(left_out.get("throughline.messaging.left_out").is_some(), "{left_out:?}");
}

#[tokio::test]
async fn a_broker_that_is_not_there_is_a_clear_error() {
    let port = free_port();
    let began = Instant::now();
    let error = mqtt::connect(options(port, "lost"), 1, DEADLINE).await.err().unwrap();
    assert_eq!(error.to_string(), format!("no connection to the MQTT broker at 127.0.0.1:{port}"));
    assert!(error.source().unwrap().to_string().contains("refused"), "{:?}", error.source());
    assert!(began.elapsed() < DEADLINE);
}

#[tokio::test]
async fn a_broker_that_does_not_answer_is_a_clear_error() {
    let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = silent.local_addr().unwrap().port();
    let deadline = Duration::from_millis(50);
    let error = mqtt::connect(options(port, "lost"), 1, deadline).await.err().unwrap();
    assert_eq!(error.to_string(), format!("no answer from the MQTT broker at 127.0.0.1:{port} within 50ms"));
}
