//! The MQTT 5 broker: the embedded one, or one that runs elsewhere.

use std::{
    collections::HashMap,
    error::Error,
    fmt,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    str::FromStr,
    thread,
    time::Duration,
};

use rumqttc::v5::{AsyncClient, Event, MqttOptions, mqttbytes::v5::Packet};
use rumqttd::{Broker, Config, ConnectionSettings, RouterConfig, ServerSettings};
use tokio::time::timeout;

/// How long a broker may take to answer the first connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How many messages a consumer may have that it hasn't acknowledged; the embedded broker is built for no more.
pub(crate) const INFLIGHT_MAX: usize = 100;
/// How large the log of a topic may become in the embedded broker: a consumer that is further behind has missed something.
const LOG_SEGMENT_LEN_MAX: usize = 1024 * 1024;
/// How many segments a log has.
const LOG_SEGMENTS_MAX: usize = 64;

/// Where a broker listens: `mqtt://HOST:PORT`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BrokerUrl {
    host: String,
    port: u16,
}

impl BrokerUrl {
    /// What a client called `id` connects with.
    pub(crate) fn options(&self, id: &str) -> MqttOptions {
        let mut options = MqttOptions::new(id, self.host.clone(), self.port);
        options.set_keep_alive(Duration::from_secs(10)).set_receive_maximum(u16::try_from(INFLIGHT_MAX).ok());
        options
    }

    /// Connects once as `id`, so that a broker that isn't there is told before anything else starts.
    pub(crate) async fn check(&self, id: &str) -> Result<(), Box<dyn Error>> {
        let (_client, mut events) = AsyncClient::new(self.options(id), 1);
        let answer = timeout(CONNECT_TIMEOUT, async {
            loop {
                if let Event::Incoming(Packet::ConnAck(_)) = events.poll().await? {
                    return Ok::<_, rumqttc::v5::ConnectionError>(());
                }
            }
        })
        .await;
        match answer {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(format!("no MQTT 5 broker at {self}: {error}").into()),
            Err(_) => Err(format!("no answer from {self} within {CONNECT_TIMEOUT:?}").into()),
        }
    }
}

impl FromStr for BrokerUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wanted = || format!("an address of the form mqtt://HOST:PORT is wanted, not {text:?}");
        let (host, port) =
            text.strip_prefix("mqtt://").and_then(|rest| rest.rsplit_once(':')).ok_or_else(wanted)?;
        if host.is_empty() {
            return Err(wanted());
        }
        Ok(Self { host: host.to_owned(), port: port.parse().map_err(|_| wanted())? })
    }
}

impl fmt::Display for BrokerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "mqtt://{}:{}", self.host, self.port)
    }
}

/// Starts the embedded broker on a free port of the loopback interface, and waits until it answers.
pub(crate) async fn start_embedded() -> Result<BrokerUrl, Box<dyn Error>> {
    let address = free_address()?;
    let mut broker = Broker::new(config(address));
    // `start` keeps its thread for as long as the broker runs, which is as long as this process.
    thread::Builder::new().name("broker".to_owned()).spawn(move || {
        if let Err(error) = broker.start() {
            eprintln!("shop: the embedded broker ended: {error}");
        }
    })?;
    let url = BrokerUrl { host: address.ip().to_string(), port: address.port() };
    wait_until_it_answers(&url).await?;
    Ok(url)
}

/// The broker only logs that it cannot bind its port, so the port is tried first.
fn free_address() -> Result<SocketAddr, Box<dyn Error>> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .map_err(|error| format!("no free port for the embedded broker: {error}"))?;
    Ok(listener.local_addr()?)
}

async fn wait_until_it_answers(url: &BrokerUrl) -> Result<(), Box<dyn Error>> {
    let tries = async {
        while url.check("shop-check").await.is_err() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(CONNECT_TIMEOUT, tries)
        .await
        .map_err(|_| format!("the embedded broker at {url} does not answer").into())
}

fn config(address: SocketAddr) -> Config {
    let server = ServerSettings {
        name: "shop".to_owned(),
        listen: address,
        tls: None,
        next_connection_delay_ms: 1,
        connections: ConnectionSettings {
            connection_timeout_ms: 5_000,
            max_payload_size: 64 * 1024,
            max_inflight_count: INFLIGHT_MAX,
            auth: None,
            external_auth: None,
            dynamic_filters: true,
        },
    };
    Config {
        router: RouterConfig {
            max_connections: 64,
            max_outgoing_packet_count: 200,
            max_segment_size: LOG_SEGMENT_LEN_MAX,
            max_segment_count: LOG_SEGMENTS_MAX,
            ..RouterConfig::default()
        },
        v5: Some(HashMap::from([("shop".to_owned(), server)])),
        ..Config::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_strict() {
        assert_eq!(
            "mqtt://127.0.0.1:1883".parse::<BrokerUrl>().unwrap().to_string(),
            "mqtt://127.0.0.1:1883"
        );
        for bad in ["", "127.0.0.1:1883", "mqtt://:1883", "mqtt://host", "mqtt://host:99999", "amqp://host:1"]
        {
            assert!(bad.parse::<BrokerUrl>().is_err(), "{bad}");
        }
    }

    #[tokio::test]
    async fn the_embedded_broker_answers() {
        start_embedded().await.unwrap().check("test").await.unwrap();
    }

    #[tokio::test]
    async fn a_broker_that_is_not_there_is_named() {
        let address = free_address().unwrap();
        let url: BrokerUrl = format!("mqtt://{address}").parse().unwrap();
        let error = url.check("shop-check").await.unwrap_err().to_string();
        assert!(error.contains(&format!("no MQTT 5 broker at mqtt://{address}")), "{error}");
    }
}
