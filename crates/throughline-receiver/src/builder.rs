//! Setting up a receiver.

use std::{
    fmt,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
};

use tokio::runtime;

use crate::{
    Behaviour, Received, Receiver, ReceiverError, Tap, behaviour::Behaviours, intake::Intake, limits::Limits,
    server::Home,
};

/// Any free port, reachable from this machine only.
const ANY_PORT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// Settings of a receiver; [`start`](Self::start) or [`start_blocking`](Self::start_blocking) makes it.
#[must_use = "a builder does nothing until `start` or `start_blocking` is called"]
pub struct ReceiverBuilder {
    listen: Listen,
    grpc_addr: SocketAddr,
    http_addr: SocketAddr,
    limits: Limits,
    behaviour: Behaviour,
    taps: Vec<Box<dyn Tap>>,
}

/// Which protocols a receiver listens for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Listen {
    /// OTLP/gRPC and OTLP/HTTP, each on its own port.
    #[default]
    Both,
    /// OTLP/gRPC.
    GrpcOnly,
    /// OTLP/HTTP.
    HttpOnly,
}

impl ReceiverBuilder {
    pub(crate) fn new() -> Self {
        Self {
            listen: Listen::default(),
            grpc_addr: ANY_PORT,
            http_addr: ANY_PORT,
            limits: Limits::default(),
            behaviour: Behaviour::default(),
            taps: Vec::new(),
        }
    }

    /// Which protocols to listen for; both unless set.
    pub fn listen(mut self, listen: Listen) -> Self {
        self.listen = listen;
        self
    }

    /// Where to listen for OTLP/gRPC; a free port of 127.0.0.1 unless set.
    pub fn grpc_addr(mut self, addr: SocketAddr) -> Self {
        self.grpc_addr = addr;
        self
    }

    /// Where to listen for OTLP/HTTP; a free port of 127.0.0.1 unless set.
    pub fn http_addr(mut self, addr: SocketAddr) -> Self {
        self.http_addr = addr;
        self
    }

    /// How many spans to keep; [`SPANS_MAX`](crate::SPANS_MAX) unless set.
    pub fn spans_max(mut self, count: usize) -> Self {
        self.limits.spans = count;
        self
    }

    /// How many log records to keep; [`LOGS_MAX`](crate::LOGS_MAX) unless set.
    pub fn logs_max(mut self, count: usize) -> Self {
        self.limits.logs = count;
        self
    }

    /// How many metric points to keep; [`METRIC_POINTS_MAX`](crate::METRIC_POINTS_MAX) unless set.
    pub fn metric_points_max(mut self, count: usize) -> Self {
        self.limits.metric_points = count;
        self
    }

    /// How many requests to remember; [`REQUESTS_MAX`](crate::REQUESTS_MAX) unless set.
    pub fn requests_max(mut self, count: usize) -> Self {
        self.limits.requests = count;
        self
    }

    /// How long a request's body may be, before and after decompression;
    /// [`REQUEST_BYTES_MAX`](crate::REQUEST_BYTES_MAX) unless set.
    pub fn request_bytes_max(mut self, bytes: usize) -> Self {
        self.limits.request_bytes = bytes;
        self
    }

    /// How to treat requests from the start; [`Receiver::behave`] changes it later.
    pub fn behaviour(mut self, behaviour: Behaviour) -> Self {
        self.behaviour = behaviour;
        self
    }

    /// Hands each accepted request to this tap as a line of OTLP-JSON. May be called more than once.
    pub fn tap(mut self, tap: impl Tap) -> Self {
        self.taps.push(Box::new(tap));
        self
    }

    /// Starts on the tokio runtime that this is called on.
    ///
    /// The receiver works only while that runtime does. Where a test blocks the only thread of its runtime, say in a blocking
    /// shutdown, take [`start_blocking`](Self::start_blocking) instead: its receiver has a thread of its own.
    ///
    /// # Errors
    ///
    /// [`ReceiverError`] if an address can't be listened on (the error names it), or if there is no runtime here.
    ///
    /// # Panics
    ///
    /// If the runtime was built without I/O.
    #[expect(clippy::unused_async, reason = "it needs a runtime, which only an async signature says")]
    pub async fn start(self) -> Result<Receiver, ReceiverError> {
        let handle = runtime::Handle::try_current().map_err(|_| ReceiverError::NoRuntime)?;
        self.start_at(Home::Ambient(handle))
    }

    /// Starts on a thread and a runtime of its own; works anywhere, inside a runtime too.
    ///
    /// # Errors
    ///
    /// [`ReceiverError`] if an address can't be listened on (the error names it), or if there are no threads left.
    pub fn start_blocking(self) -> Result<Receiver, ReceiverError> {
        self.start_at(Home::Thread)
    }

    fn start_at(self, home: Home) -> Result<Receiver, ReceiverError> {
        let intake = Intake {
            received: Received::new(&self.limits),
            behaviours: Behaviours::new(self.behaviour),
            taps: self.taps,
            request_bytes_max: self.limits.request_bytes,
        };
        let grpc_addr = (self.listen != Listen::HttpOnly).then_some(self.grpc_addr);
        let http_addr = (self.listen != Listen::GrpcOnly).then_some(self.http_addr);
        Receiver::launch(home, Arc::new(intake), grpc_addr, http_addr)
    }
}

impl fmt::Debug for ReceiverBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReceiverBuilder")
            .field("listen", &self.listen)
            .field("grpc_addr", &self.grpc_addr)
            .field("http_addr", &self.http_addr)
            .field("limits", &self.limits)
            .field("behaviour", &self.behaviour)
            .field("taps", &self.taps.len())
            .finish()
    }
}
