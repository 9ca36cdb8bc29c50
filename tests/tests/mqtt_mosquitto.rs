//! MQTT 5 keeps the contract through a real Mosquitto, the one that `THROUGHLINE_TEST_MOSQUITTO` names.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests are tests, too")]

#[path = "../../crates/throughline-messaging/tests/contract/mod.rs"]
mod contract;
#[path = "../../crates/throughline-messaging/tests/mqtt_client/mod.rs"]
mod mqtt_client;

use std::{fs, process::Command};

use contract::Broker;
use mqtt_client::{DEADLINE, Mqtt, options};
use tempfile::TempDir;
use tests::{MOSQUITTO, Server, free_ports, program};
use throughline_messaging::mqtt;
use throughline_testing::Capture;

#[tokio::test]
async fn mqtt_keeps_the_contract_with_mosquitto() {
    let Some(mosquitto) = Mosquitto::start("mqtt_mosquitto").await else { return };
    contract::keeps(async |topic: &str| Mqtt::connect(mosquitto.port, topic).await).await;
}

#[tokio::test]
async fn an_unacknowledged_message_comes_again_and_says_so() {
    let Some(mosquitto) = Mosquitto::start("mqtt_mosquitto, redelivery").await else { return };
    let topic = "order/created";
    let mut durable = options(mosquitto.port, "durable");
    durable.set_manual_acks(true).set_clean_start(false).set_session_expiry_interval(Some(60));

    let mut first = Mqtt::connect_as(durable.clone(), topic).await;
    first.send("three apples").await;
    first.receive().await;
    drop(first);

    let capture = Capture::new("shop");
    let _installed = capture.install();
    let (client, mut events) = mqtt::connect(durable, 8, DEADLINE).await.unwrap();
    let again = loop {
        use rumqttc::v5::{Event, Incoming};
        let event = tokio::time::timeout(DEADLINE, events.poll()).await.expect("a redelivery").unwrap();
        if let Event::Incoming(Incoming::Publish(message)) = event {
            break message;
        }
    };
    mqtt::process(&again).run(async {}).await;
    drop(client);
    let span = capture.span("process order/created");
    assert_eq!(span.attribute("throughline.messaging.redelivered").and_then(|it| it.as_bool()), Some(true));
}

/// A Mosquitto on a free port of the loopback, ended when dropped.
struct Mosquitto {
    port: u16,
    _server: Server,
    _folder: TempDir,
}

impl Mosquitto {
    /// `None` when there is none to be started, which has been said then.
    async fn start(test: &str) -> Option<Self> {
        let mosquitto = program(MOSQUITTO, test)?;
        let folder = tempfile::tempdir().unwrap();
        let [port] = free_ports();
        let settings = folder.path().join("mosquitto.conf");
        fs::write(&settings, format!("listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\n"))
            .unwrap();
        let server =
            Server::start("mosquitto", Command::new(mosquitto).arg("-c").arg(&settings), folder.path());
        let began = std::time::Instant::now();
        while let Err(error) = mqtt::connect(options(port, "check"), 1, DEADLINE).await {
            assert!(
                began.elapsed() < DEADLINE,
                "Mosquitto doesn't answer: {error}; it printed:\n{}",
                server.log()
            );
            tokio::task::yield_now().await;
        }
        Some(Self { port, _server: server, _folder: folder })
    }
}
