//! The receiver itself: started, read, stopped.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use crate::{
    Behaviour, Counts, LogRecord, Metric, Received, ReceiverBuilder, ReceiverError, RequestInfo, Span, Trace,
    TraceId, WaitTimeout,
    intake::Intake,
    server::{Home, Ports, Server},
};

/// How long a blocking stop waits for a runtime that isn't its own.
const STOP_TIMEOUT: Duration = Duration::from_secs(5);

/// An OTLP server in this process.
///
/// Every method takes `&self`, so that it can be shared in an [`Arc`]. Dropping it stops it, as
/// [`stop`](Self::stop) does; one that was started with [`start`](Self::start) then ends a moment later.
#[derive(Debug)]
pub struct Receiver {
    intake: Arc<Intake>,
    home: Home,
    grpc_addr: Option<SocketAddr>,
    http_addr: Option<SocketAddr>,
    server: Mutex<Option<Server>>,
}

impl Receiver {
    /// Settings for a receiver.
    pub fn builder() -> ReceiverBuilder {
        ReceiverBuilder::new()
    }

    /// Both protocols on free ports of 127.0.0.1, on the tokio runtime that this is called on.
    ///
    /// # Errors
    ///
    /// As [`ReceiverBuilder::start`].
    pub async fn start() -> Result<Self, ReceiverError> {
        Self::builder().start().await
    }

    /// Both protocols on free ports of 127.0.0.1, on a thread of its own.
    ///
    /// # Errors
    ///
    /// As [`ReceiverBuilder::start_blocking`].
    pub fn start_blocking() -> Result<Self, ReceiverError> {
        Self::builder().start_blocking()
    }

    /// Where clients send OTLP/gRPC to: `http://127.0.0.1:PORT`. Stays the same over a stop and a restart.
    ///
    /// # Panics
    ///
    /// If the receiver was told not to listen for it.
    #[must_use]
    pub fn grpc_endpoint(&self) -> String {
        endpoint(self.grpc_addr.expect("this receiver listens for OTLP/HTTP only"))
    }

    /// Where clients send OTLP/HTTP to, without the signals' paths: `http://127.0.0.1:PORT`. Stays the same over a stop
    /// and a restart.
    ///
    /// # Panics
    ///
    /// If the receiver was told not to listen for it.
    #[must_use]
    pub fn http_endpoint(&self) -> String {
        endpoint(self.http_addr.expect("this receiver listens for OTLP/gRPC only"))
    }

    /// The address for OTLP/gRPC; `None` if it isn't listened for.
    #[must_use]
    pub fn grpc_addr(&self) -> Option<SocketAddr> {
        self.grpc_addr
    }

    /// The address for OTLP/HTTP; `None` if it isn't listened for.
    #[must_use]
    pub fn http_addr(&self) -> Option<SocketAddr> {
        self.http_addr
    }

    /// How to treat requests from now on. Ends what [`behave_next`](Self::behave_next) planned.
    pub fn behave(&self, behaviour: Behaviour) {
        self.intake.behaviours.set(behaviour);
    }

    /// How to treat the next so many requests that can be read; after them, it is as it was. Calls add up in their order.
    ///
    /// ```
    /// use std::time::Duration;
    /// use throughline_receiver::{Behaviour, Receiver, Refusal};
    ///
    /// let receiver = Receiver::start_blocking()?;
    /// receiver.behave_next(2, Behaviour::Refuse(Refusal::retryable().retry_after(Duration::from_secs(1))));
    /// // The first two requests are refused, the third is accepted.
    /// # Ok::<(), throughline_receiver::ReceiverError>(())
    /// ```
    pub fn behave_next(&self, requests: u64, behaviour: Behaviour) {
        self.intake.behaviours.set_next(requests, behaviour);
    }

    /// How to treat the next requests that can be read, one after the other; after them, it is as it was. Adds to what was
    /// planned before.
    ///
    /// ```
    /// use std::time::Duration;
    /// use throughline_receiver::{BadAnswer, Behaviour, Receiver, Refusal};
    ///
    /// let receiver = Receiver::start_blocking()?;
    /// receiver.behave_in_turn([
    ///     Behaviour::Refuse(Refusal::retryable().retry_after(Duration::from_secs(1))),
    ///     Behaviour::Slow(Duration::from_millis(200)),
    ///     Behaviour::AnswerBadly(BadAnswer::Truncated),
    ///     Behaviour::Disconnect,
    /// ]);
    /// // The fifth request is accepted as usual.
    /// # Ok::<(), throughline_receiver::ReceiverError>(())
    /// ```
    pub fn behave_in_turn(&self, behaviours: impl IntoIterator<Item = Behaviour>) {
        self.intake.behaviours.set_in_turn(behaviours);
    }

    /// Frees the ports and cuts every connection, as a Collector that goes down; what has arrived can still be read.
    /// Nothing happens if it has stopped already.
    pub async fn stop(&self) {
        let server = self.server().take();
        if let Some(server) = server {
            server.stop().await;
        }
    }

    /// The same without a runtime.
    ///
    /// A receiver that was started with [`start`](Self::start) needs its runtime to stop; this waits 5 s for it at most.
    pub fn stop_blocking(&self) {
        let server = self.server().take();
        if let Some(server) = server {
            server.stop_blocking(STOP_TIMEOUT);
        }
    }

    /// Listens again at the same addresses after a stop, and adds to what had arrived before. Nothing happens if it runs.
    ///
    /// # Errors
    ///
    /// [`ReceiverError`] if another process has taken an address meanwhile.
    pub fn restart(&self) -> Result<(), ReceiverError> {
        let mut server = self.server();
        if server.is_none() {
            let ports = Ports::bind(self.grpc_addr, self.http_addr)?;
            *server = Some(Server::start(&self.home, ports, &self.intake)?);
        }
        Ok(())
    }

    /// What has arrived, as a handle that can be cloned and outlives the receiver.
    #[must_use]
    pub fn received(&self) -> &Received {
        &self.intake.received
    }

    pub(crate) fn launch(
        home: Home,
        intake: Arc<Intake>,
        grpc: Option<SocketAddr>,
        http: Option<SocketAddr>,
    ) -> Result<Self, ReceiverError> {
        let ports = Ports::bind(grpc, http)?;
        let bound = |listener: &std::net::TcpListener| listener.local_addr().map_err(ReceiverError::Start);
        let grpc_addr = ports.grpc.as_ref().map(bound).transpose()?;
        let http_addr = ports.http.as_ref().map(bound).transpose()?;
        let server = Server::start(&home, ports, &intake)?;
        Ok(Self { intake, home, grpc_addr, http_addr, server: Mutex::new(Some(server)) })
    }

    fn server(&self) -> MutexGuard<'_, Option<Server>> {
        self.server.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Shorthand for the same methods of [`Received`].
impl Receiver {
    /// See [`Received::spans`].
    #[must_use]
    pub fn spans(&self) -> Vec<Arc<Span>> {
        self.received().spans()
    }

    /// See [`Received::take_spans`].
    #[must_use]
    pub fn take_spans(&self) -> Vec<Arc<Span>> {
        self.received().take_spans()
    }

    /// See [`Received::logs`].
    #[must_use]
    pub fn logs(&self) -> Vec<Arc<LogRecord>> {
        self.received().logs()
    }

    /// See [`Received::metrics`].
    #[must_use]
    pub fn metrics(&self) -> Vec<Arc<Metric>> {
        self.received().metrics()
    }

    /// See [`Received::requests`].
    #[must_use]
    pub fn requests(&self) -> Vec<RequestInfo> {
        self.received().requests()
    }

    /// See [`Received::trace`].
    #[must_use]
    pub fn trace(&self, id: TraceId) -> Trace {
        self.received().trace(id)
    }

    /// See [`Received::trace_ids`].
    #[must_use]
    pub fn trace_ids(&self) -> Vec<TraceId> {
        self.received().trace_ids()
    }

    /// See [`Received::counts`].
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.received().counts()
    }

    /// See [`Received::dropped`].
    #[must_use]
    pub fn dropped(&self) -> Counts {
        self.received().dropped()
    }

    /// See [`Received::clear`].
    pub fn clear(&self) {
        self.received().clear();
    }

    /// See [`Received::wait_for`].
    ///
    /// # Errors
    ///
    /// [`WaitTimeout`] if the condition doesn't hold within that time.
    pub async fn wait_for(
        &self,
        condition: impl FnMut(&Received) -> bool,
        timeout: Duration,
    ) -> Result<(), WaitTimeout> {
        self.received().wait_for(condition, timeout).await
    }

    /// See [`Received::wait_for_blocking`].
    ///
    /// # Errors
    ///
    /// [`WaitTimeout`] if the condition doesn't hold within that time.
    pub fn wait_for_blocking(
        &self,
        condition: impl FnMut(&Received) -> bool,
        timeout: Duration,
    ) -> Result<(), WaitTimeout> {
        self.received().wait_for_blocking(condition, timeout)
    }

    /// See [`Received::wait_for_spans`].
    ///
    /// # Errors
    ///
    /// [`WaitTimeout`] if fewer arrive within that time.
    pub async fn wait_for_spans(&self, count: u64, timeout: Duration) -> Result<(), WaitTimeout> {
        self.received().wait_for_spans(count, timeout).await
    }

    /// See [`Received::wait_for_spans_blocking`].
    ///
    /// # Errors
    ///
    /// [`WaitTimeout`] if fewer arrive within that time.
    pub fn wait_for_spans_blocking(&self, count: u64, timeout: Duration) -> Result<(), WaitTimeout> {
        self.received().wait_for_spans_blocking(count, timeout)
    }
}

/// One that listens on every address is reached at the loopback one.
fn endpoint(addr: SocketAddr) -> String {
    if addr.ip().is_unspecified() {
        return format!("http://{}:{}", Ipv4Addr::LOCALHOST, addr.port());
    }
    format!("http://{addr}")
}
