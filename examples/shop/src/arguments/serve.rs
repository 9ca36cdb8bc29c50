//! The flags of one service process.

use std::{net::SocketAddr, path::PathBuf};

use clap::Args;

use super::{Balance, DatabaseUrl, Peer, Protocol, Service, TelemetrySwitch};
use crate::{broker::BrokerUrl, faults::Rate};

/// What one service process needs to know.
#[derive(Clone, Debug, Args)]
pub(crate) struct ServeArguments {
    /// Which service to be.
    pub(crate) service: Service,
    /// The number of this instance or shard, from 1.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) instance: usize,
    /// Where to listen; with port 0 on a free one.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    pub(crate) listen: SocketAddr,
    /// An instance of a service that this one calls; may be given several times.
    #[arg(long, value_name = "SERVICE=ADDR")]
    pub(crate) peer: Vec<Peer>,
    /// The MQTT 5 broker.
    #[arg(long, value_name = "URL")]
    pub(crate) broker: Option<BrokerUrl>,
    /// A folder for SQLite files, or `postgres://…`.
    #[arg(long, value_name = "URL|PATH")]
    pub(crate) database: Option<DatabaseUrl>,
    /// How the gateway chooses an instance of orders.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) balance: Balance,
    /// Where the Collector is.
    #[arg(long, value_name = "URL")]
    pub(crate) otlp: Option<String>,
    /// How to export.
    #[arg(long, value_enum, default_value_t = Protocol::Grpc)]
    pub(crate) protocol: Protocol,
    /// Whether there is telemetry.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) telemetry: TelemetrySwitch,
    /// A file for JSON log lines.
    #[arg(long, value_name = "PATH")]
    pub(crate) log_file: Option<PathBuf>,
    /// The share of its work to fail.
    #[arg(long, value_name = "RATE", default_value_t = Rate::NEVER)]
    pub(crate) fail: Rate,
    /// End once standard input closes.
    #[arg(long)]
    pub(crate) until_stdin_closes: bool,
}

impl ServeArguments {
    /// What this process is called among those of its service: `orders-2`.
    pub(crate) fn name(&self) -> String {
        format!("{}-{}", self.service.name(), self.instance)
    }

    /// Where the instances of a service listen, in the order of their numbers.
    pub(crate) fn peers(&self, service: Service) -> Vec<SocketAddr> {
        self.peer.iter().filter(|peer| peer.service == service).map(|peer| peer.address).collect()
    }

    /// The broker, which a service that calls this can't do without.
    pub(crate) fn broker(&self) -> Result<&BrokerUrl, String> {
        self.broker.as_ref().ok_or_else(|| format!("{} needs --broker", self.service.name()))
    }

    /// The database, which a service that calls this can't do without.
    pub(crate) fn database(&self) -> Result<&DatabaseUrl, String> {
        self.database.as_ref().ok_or_else(|| format!("{} needs --database", self.service.name()))
    }
}
