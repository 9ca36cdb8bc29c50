//! An MQTT 5 broker inside the process of a test.

use std::{
    collections::HashMap,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    thread,
    time::{Duration, Instant},
};

use rumqttc::v5::MqttOptions;
use rumqttd::{Broker as Embedded, Config, ConnectionSettings, RouterConfig, ServerSettings};
use throughline_messaging::mqtt;

/// How long the broker may take to answer.
const DEADLINE: Duration = Duration::from_secs(10);

/// Starts a broker in this process, waits until it answers, and returns its port.
///
/// It runs as long as the process does: it can't be stopped.
pub(crate) async fn start_broker() -> u16 {
    let port = free_port();
    let mut broker = Embedded::new(config(SocketAddr::from((Ipv4Addr::LOCALHOST, port))));
    thread::spawn(move || drop(broker.start()));
    let began = Instant::now();
    // A bind that fails is only logged by the broker. Whoever else got the port wouldn't answer as a broker does.
    while let Err(error) = mqtt::connect(MqttOptions::new("check", "127.0.0.1", port), 1, DEADLINE).await {
        assert!(began.elapsed() < DEADLINE, "the embedded broker doesn't answer: {error}");
        tokio::task::yield_now().await;
    }
    port
}

pub(crate) fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

fn config(listen: SocketAddr) -> Config {
    let connections = ConnectionSettings {
        connection_timeout_ms: 5_000,
        max_payload_size: 64 * 1024,
        max_inflight_count: 100,
        auth: None,
        external_auth: None,
        dynamic_filters: true,
    };
    let server = ServerSettings {
        name: "test".to_owned(),
        listen,
        tls: None,
        next_connection_delay_ms: 1,
        connections,
    };
    let router = RouterConfig {
        max_connections: 64,
        max_outgoing_packet_count: 200,
        max_segment_size: 1024 * 1024,
        max_segment_count: 10,
        ..RouterConfig::default()
    };
    Config { router, v5: Some(HashMap::from([("test".to_owned(), server)])), ..Config::default() }
}
