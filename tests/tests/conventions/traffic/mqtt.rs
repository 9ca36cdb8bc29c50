//! MQTT 5 through a broker in this process: topics with and without a template, a group, an acknowledgement, a batch, and baggage
//! that is too long for its message.

use std::time::Duration;

use rumqttc::v5::{
    Event, EventLoop, Incoming, MqttOptions,
    mqttbytes::{QoS, v5::Publish},
};
use throughline::{
    Baggage, Carry, Context,
    core::with_remote,
    messaging::mqtt::{self, Publisher, Subscriber},
};
use tokio::sync::mpsc;

const DEADLINE: Duration = Duration::from_secs(10);

pub(crate) async fn run() {
    let port = super::mqtt_broker::start_broker().await;
    let mut options = MqttOptions::new("conventions", "127.0.0.1", port);
    options.set_manual_acks(true);
    let (client, events) = mqtt::connect(options.clone(), 16, DEADLINE).await.unwrap();
    let (arrived, mut messages) = mpsc::unbounded_channel();
    let events = tokio::spawn(pass_on(events, arrived));
    client.subscribe("devices/#", QoS::AtLeastOnce).await.unwrap();

    let publisher = Publisher::new(client.clone(), &options).template("devices/{device}/state");
    let subscriber = Subscriber::new(&options).template("devices/{device}/state").group("watchers");
    publisher.publish("devices/7/state", QoS::AtLeastOnce, false, "on").await.unwrap();
    let message = messages.recv().await.unwrap();
    subscriber.process(&message).run(async { tracing::info!("switched on") }).await;
    subscriber.ack(&client, &message).await.unwrap();
    publisher.publish("devices/+", QoS::AtLeastOnce, false, "nowhere").await.unwrap_err();

    let mut batch = Vec::new();
    for topic in ["devices/7/state", "devices/all"] {
        publisher.publish(topic, QoS::AtLeastOnce, false, "off").await.unwrap();
        batch.push(messages.recv().await.unwrap());
    }
    subscriber.process_batch(&batch).run(async {}).await;

    let large = Baggage::default().insert("notes", &"x".repeat(8_000)).unwrap();
    let context = Context::current().with_baggage(large);
    let long = "y".repeat(4_000);
    with_remote(&context, || publisher.publish("devices/7/notes", QoS::AtLeastOnce, false, long).carry())
        .await
        .unwrap();
    events.abort();
}

async fn pass_on(mut events: EventLoop, arrived: mpsc::UnboundedSender<Publish>) {
    loop {
        if let Event::Incoming(Incoming::Publish(message)) = events.poll().await.unwrap()
            && arrived.send(message).is_err()
        {
            return;
        }
    }
}
