//! Events between the services over MQTT 5, each hop one line of throughline.

use std::{error::Error, future::Future, time::Duration};

use rumqttc::v5::{
    AsyncClient, Event, EventLoop,
    mqttbytes::{
        QoS,
        v5::{Packet, Publish},
    },
};
use serde::de::DeserializeOwned;
use throughline::messaging::mqtt;
use tokio::{sync::mpsc, task::JoinSet, time::timeout};
use tracing::warn;

use super::order::Order;
use crate::{arguments::ServeArguments, broker::BrokerUrl};

/// How long a service waits for its broker when it starts, and for its last messages when it ends.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long to wait before connecting again.
const RECONNECT_DELAY: Duration = Duration::from_millis(200);
/// How many received messages may wait for a handler.
const WAITING_MAX: usize = 64;

pub(super) type Failure = Box<dyn Error + Send + Sync>;

/// A client that only publishes.
pub(super) async fn publisher(url: &BrokerUrl, id: &str) -> Result<AsyncClient, Box<dyn Error>> {
    url.check(&format!("{id}-check")).await?;
    let (client, events) = url.client(id);
    let (ignored, _) = mpsc::channel(1);
    tokio::spawn(drive(events, ignored, None));
    Ok(client)
}

/// Publishes an event about an order inside a producer span.
pub(super) async fn publish(broker: &AsyncClient, topic: &str, order: &Order) -> Result<(), Failure> {
    let payload = serde_json::to_vec(order)?;
    mqtt::publish(broker, topic, QoS::AtLeastOnce, false, payload).await?;
    Ok(())
}

/// Handles every message of `topic` until SIGTERM or SIGINT; tells the demo how each order ended.
pub(super) async fn consume<F, R>(
    settings: &ServeArguments,
    topic: &str,
    handle: F,
) -> Result<(), Box<dyn Error>>
where
    F: Fn(AsyncClient, Order) -> R + Clone + Send + 'static,
    R: Future<Output = Result<(), Failure>> + Send + 'static,
{
    let name = settings.service.name();
    let url = settings.broker.as_ref().ok_or_else(|| format!("{name} needs --broker"))?;
    url.check(&format!("{name}-check")).await?;
    let (client, events) = url.client(name);
    let (to_handlers, mut messages) = mpsc::channel(WAITING_MAX);
    tokio::spawn(drive(events, to_handlers, Some((client.clone(), topic.to_owned()))));

    let mut running = JoinSet::new();
    let mut stop = std::pin::pin!(throughline::shutdown_signal());
    loop {
        tokio::select! {
            () = &mut stop => break,
            Some(message) = messages.recv() => {
                running.spawn(handle_one(client.clone(), message, handle.clone()));
            }
            Some(_) = running.join_next() => {}
        }
    }
    if timeout(PATIENCE, running.join_all()).await.is_err() {
        eprintln!("{name}: messages still being handled after {PATIENCE:?}");
    }
    Ok(())
}

/// One message, inside its process span.
async fn handle_one<F, R>(client: AsyncClient, message: Publish, handle: F)
where
    F: FnOnce(AsyncClient, Order) -> R,
    R: Future<Output = Result<(), Failure>>,
{
    let order = read::<Order>(&message);
    let id = order.as_ref().map_or(0, |order| order.id);
    let result = mqtt::process(&message)
        .run(async {
            let handled = match order {
                Ok(order) => handle(client, order).await,
                Err(error) => Err(error),
            };
            if let Err(error) = &handled {
                warn!(error = &**error, "message not handled");
            }
            handled
        })
        .await;
    println!("{} {id}", if result.is_ok() { "done" } else { "failed" });
}

fn read<T: DeserializeOwned>(message: &Publish) -> Result<T, Failure> {
    Ok(serde_json::from_slice(&message.payload)?)
}

/// Keeps a connection going; subscribes whenever it is made, and passes on what arrives.
async fn drive(
    mut events: EventLoop,
    messages: mpsc::Sender<Publish>,
    subscription: Option<(AsyncClient, String)>,
) {
    let mut announced = false;
    loop {
        match events.poll().await {
            Ok(Event::Incoming(Packet::ConnAck(_))) => {
                if let Some((client, topic)) = &subscription
                    && client.subscribe(topic, QoS::AtLeastOnce).await.is_err()
                {
                    return;
                }
            }
            Ok(Event::Incoming(Packet::SubAck(_))) if !announced => {
                announced = true;
                println!("subscribed");
            }
            Ok(Event::Incoming(Packet::Publish(message))) => {
                if messages.send(message).await.is_err() {
                    return;
                }
            }
            Ok(_) => {}
            Err(error) => {
                warn!(%error, "broker lost");
                tokio::time::sleep(RECONNECT_DELAY).await;
            }
        }
    }
}
