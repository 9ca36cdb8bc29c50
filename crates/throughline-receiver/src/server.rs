//! The listeners of both protocols, and their end.

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use axum::{Extension, Router};
use hyper_util::{rt::TokioIo, server::conn::auto, service::TowerToHyperService};
use tokio::{
    net::{TcpListener, TcpStream},
    runtime,
    sync::oneshot,
    task::JoinSet,
};
use tracing::{Dispatch, instrument::WithSubscriber as _};

use crate::{
    ReceiverError, grpc, http,
    intake::{Connection, Intake},
    wakeup::Wakeup,
};

/// How long no connection is taken after one couldn't be, as when the process has no file descriptors left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(20);

/// Where the receiver lives.
#[derive(Clone, Debug)]
pub(crate) enum Home {
    /// On a runtime that is there anyway.
    Ambient(runtime::Handle),
    /// On a thread and a runtime of its own.
    Thread,
}

/// The sockets, bound but not yet served.
#[derive(Debug)]
pub(crate) struct Ports {
    pub(crate) grpc: Option<std::net::TcpListener>,
    pub(crate) http: Option<std::net::TcpListener>,
}

impl Ports {
    pub(crate) fn bind(grpc: Option<SocketAddr>, http: Option<SocketAddr>) -> Result<Self, ReceiverError> {
        Ok(Self {
            grpc: grpc.map(|addr| bind("OTLP/gRPC", addr)).transpose()?,
            http: http.map(|addr| bind("OTLP/HTTP", addr)).transpose()?,
        })
    }
}

fn bind(protocol: &'static str, addr: SocketAddr) -> Result<std::net::TcpListener, ReceiverError> {
    std::net::TcpListener::bind(addr)
        .and_then(|listener| {
            listener.set_nonblocking(true)?;
            Ok(listener)
        })
        .map_err(|source| ReceiverError::Bind { protocol, addr, source })
}

/// A running server. Dropping it stops it; on a thread of its own, the drop waits until it has stopped.
#[derive(Debug)]
pub(crate) struct Server {
    /// Dropped to stop.
    stop: Option<oneshot::Sender<()>>,
    stopped: Arc<Stopped>,
    thread: Option<thread::JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Stopped {
    flag: AtomicBool,
    wakeup: Wakeup,
}

impl Server {
    pub(crate) fn start(home: &Home, ports: Ports, intake: &Arc<Intake>) -> Result<Self, ReceiverError> {
        let (stop, stopping) = oneshot::channel();
        let stopped = Arc::new(Stopped::default());
        let mark = MarkStopped(Arc::clone(&stopped));
        let routers = Routers { grpc: grpc::router(intake), http: http::router(intake) };
        let thread = match home {
            Home::Ambient(handle) => {
                let listeners = {
                    let _entered = handle.enter();
                    Listeners::try_from(ports).map_err(ReceiverError::Start)?
                };
                let serving = async move {
                    let _mark = mark;
                    serve(listeners, routers, stopping).await;
                };
                handle.spawn(serving.with_subscriber(Dispatch::none()));
                None
            }
            Home::Thread => {
                let runtime = runtime::Builder::new_current_thread()
                    .enable_all()
                    .build()
                    .map_err(ReceiverError::Start)?;
                let listeners = {
                    let _entered = runtime.enter();
                    Listeners::try_from(ports).map_err(ReceiverError::Start)?
                };
                let run = move || {
                    let _mark = mark;
                    runtime.block_on(serve(listeners, routers, stopping).with_subscriber(Dispatch::none()));
                };
                let thread = thread::Builder::new().name("throughline-receiver".to_owned()).spawn(run);
                Some(thread.map_err(ReceiverError::Start)?)
            }
        };
        Ok(Self { stop: Some(stop), stopped, thread })
    }

    /// Stops and waits until the ports are free and all connections closed.
    pub(crate) async fn stop(mut self) {
        self.stop = None;
        let stopped = Arc::clone(&self.stopped);
        stopped.wakeup.until(|| stopped.flag.load(Ordering::Acquire)).await;
    }

    /// The same from a thread, for at most that long.
    pub(crate) fn stop_blocking(mut self, timeout: Duration) {
        self.stop = None;
        let stopped = Arc::clone(&self.stopped);
        stopped.wakeup.until_blocking(timeout, || stopped.flag.load(Ordering::Acquire));
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop = None;
        // The last receiver may be dropped by a tap, which runs on this very thread.
        if let Some(thread) = self.thread.take()
            && thread.thread().id() != thread::current().id()
        {
            // An error is a panic that the thread has reported already.
            thread.join().unwrap_or_default();
        }
    }
}

/// Says that the server is gone, even when its task was thrown away together with the runtime.
struct MarkStopped(Arc<Stopped>);

impl Drop for MarkStopped {
    fn drop(&mut self) {
        self.0.flag.store(true, Ordering::Release);
        self.0.wakeup.wake();
    }
}

struct Routers {
    grpc: Router,
    http: Router,
}

struct Listeners {
    grpc: Option<TcpListener>,
    http: Option<TcpListener>,
}

impl TryFrom<Ports> for Listeners {
    type Error = io::Error;

    fn try_from(ports: Ports) -> io::Result<Self> {
        Ok(Self {
            grpc: ports.grpc.map(TcpListener::from_std).transpose()?,
            http: ports.http.map(TcpListener::from_std).transpose()?,
        })
    }
}

async fn serve(listeners: Listeners, routers: Routers, mut stopping: oneshot::Receiver<()>) {
    let mut connections = JoinSet::new();
    loop {
        let serving = tokio::select! {
            _ = &mut stopping => break,
            stream = accept(listeners.grpc.as_ref()) => converse(stream, routers.grpc.clone(), Speech::Http2),
            stream = accept(listeners.http.as_ref()) => converse(stream, routers.http.clone(), Speech::Http1),
            Some(_) = connections.join_next() => continue,
        };
        connections.spawn(serving.with_subscriber(Dispatch::none()));
    }
    drop(listeners);
    connections.shutdown().await;
}

/// The next connection; none ever where nothing listens.
async fn accept(listener: Option<&TcpListener>) -> TcpStream {
    let Some(listener) = listener else {
        return std::future::pending().await;
    };
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return stream,
            Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
        }
    }
}

/// What is spoken on a port: a gRPC client on the HTTP port must fail as it does with a Collector, and the other way round.
#[derive(Clone, Copy)]
enum Speech {
    Http1,
    Http2,
}

async fn converse(stream: TcpStream, router: Router, speech: Speech) {
    // Only latency is lost where the option can't be set.
    stream.set_nodelay(true).unwrap_or_default();
    let connection = Connection::default();
    let service = TowerToHyperService::new(router.layer(Extension(connection.clone())));
    let builder = auto::Builder::new(QuietExecutor);
    let builder = match speech {
        Speech::Http1 => builder.http1_only(),
        Speech::Http2 => builder.http2_only(),
    };
    tokio::select! {
        // An error here is one between the client and itself: it has gone, or it doesn't speak HTTP.
        _ = builder.serve_connection(TokioIo::new(stream), service) => {}
        () = connection.is_cut() => {}
    }
}

/// Runs hyper's tasks without any `tracing` subscriber: what receives telemetry must not make any.
#[derive(Clone, Copy)]
struct QuietExecutor;

impl<F> hyper::rt::Executor<F> for QuietExecutor
where
    F: Future<Output: Send> + Send + 'static,
{
    fn execute(&self, future: F) {
        tokio::spawn(future.with_subscriber(Dispatch::none()));
    }
}
