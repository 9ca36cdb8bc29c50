//! The flags of one service process.

use std::{net::SocketAddr, path::PathBuf};

use clap::Args;

use super::{Protocol, Service};
use crate::{broker::BrokerUrl, faults::Rate};

/// What one service process needs to know.
#[derive(Clone, Debug, Args)]
pub(crate) struct ServeArguments {
    /// Which service to be.
    pub(crate) service: Service,
    /// The number of this instance or shard, from 1.
    #[arg(long, default_value_t = 1)]
    pub(crate) instance: usize,
    /// The instances of the next service.
    #[arg(long)]
    pub(crate) peer: Vec<SocketAddr>,
    #[arg(long)]
    pub(crate) broker: Option<BrokerUrl>,
    #[arg(long)]
    pub(crate) database: Option<PathBuf>,
    #[arg(long)]
    pub(crate) otlp: String,
    #[arg(long, value_enum)]
    pub(crate) protocol: Protocol,
    #[arg(long)]
    pub(crate) log_file: Option<PathBuf>,
    #[arg(long, default_value_t = Rate::NEVER)]
    pub(crate) fail: Rate,
    /// End once standard input closes.
    #[arg(long)]
    pub(crate) until_stdin_closes: bool,
}
