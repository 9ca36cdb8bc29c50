//! What can go wrong when a receiver starts, or is waited for.

use std::{error::Error, fmt, io, net::SocketAddr, time::Duration};

use crate::Counts;

/// Why a receiver couldn't be started.
#[derive(Debug)]
#[non_exhaustive]
pub enum ReceiverError {
    /// The address can't be listened on: mostly because another process does.
    Bind {
        /// "OTLP/gRPC" or "OTLP/HTTP".
        protocol: &'static str,
        /// The address that was asked for.
        addr: SocketAddr,
        /// What the operating system says.
        source: io::Error,
    },
    /// [`start`](crate::ReceiverBuilder::start) was called where there is no tokio runtime.
    NoRuntime,
    /// The receiver's runtime or thread couldn't be created.
    Start(io::Error),
}

impl fmt::Display for ReceiverError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bind { protocol, addr, source } => {
                write!(f, "cannot listen for {protocol} on {addr}: {source}")
            }
            Self::NoRuntime => f.write_str("no tokio runtime here: call start_blocking instead"),
            Self::Start(source) => write!(f, "cannot start the receiver: {source}"),
        }
    }
}

impl Error for ReceiverError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Bind { source, .. } | Self::Start(source) => Some(source),
            Self::NoRuntime => None,
        }
    }
}

/// What was waited for didn't come; says what did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaitTimeout {
    pub(crate) waited: Duration,
    pub(crate) counts: Counts,
}

impl WaitTimeout {
    /// What the receiver had at the end.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.counts
    }
}

impl fmt::Display for WaitTimeout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not within {:?}: the receiver has {}", self.waited, self.counts)
    }
}

impl Error for WaitTimeout {}
