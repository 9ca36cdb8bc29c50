//! What goes on after the handshake.

use std::{
    future::Future,
    mem,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use throughline_core::{
    Context, Pipeline, SpanExt, Status,
    semconv::{error, own},
    with_remote,
};
use tracing::Span;

use crate::{
    flight::{End, Flight, InFlight},
    inside::Inside,
};

/// What goes on over a connection after the request that opened it has been answered: a websocket, most of all.
///
/// The request's span ends with its 101. Neither the session nor its messages belong below it: a trace that grows for
/// hours is one that nobody can read. Each is a trace of its own, sampled as such, that *links* back, and all have the
/// correlation id and the baggage of the request:
///
/// ```text
/// GET /chat          101  1 ms                      ◄─┐
/// chat                    2 h   messages=1204   link ─┘  ◄─┐
/// chat message            3 ms                  link ──────┘
/// chat message            2 ms                  link ──────┘
/// ```
///
/// Made in the handler, while the request is current; run where the connection is. With axum's feature `ws`:
///
/// ```
/// # #[cfg(feature = "axum")] {
/// use axum::{extract::ws::WebSocketUpgrade, response::Response};
/// use throughline_http::server::Session;
///
/// async fn chat(upgrade: WebSocketUpgrade) -> Response {
///     let session = Session::new("chat");
///     upgrade.on_upgrade(|mut socket| {
///         session.run(async move |messages| {
///             while let Some(Ok(message)) = socket.recv().await {
///                 messages.handle("chat message", async { tracing::info!(?message, "said") }).await;
///             }
///         })
///     })
/// }
/// # let _: axum::Router = axum::Router::new().route("/chat", axum::routing::any(chat)); }
/// ```
///
/// Under a filter that leaves out the spans the work runs in the request's context, as far as that one is known.
#[derive(Clone, Debug)]
#[must_use = "nothing happens until it is run"]
pub struct Session {
    name: &'static str,
    request: Context,
}

impl Session {
    /// The session that the current request opens. `name` becomes the name of its span: the same for all such
    /// sessions.
    pub fn new(name: &'static str) -> Self {
        Self { name, request: Context::current() }
    }

    /// Runs `work` inside the span of the session, which ends with it.
    ///
    /// # Cancel safety
    /// Dropped before it is ready, it ends the span as `cancelled`, or as `panic`, an error, if `work` panicked.
    pub async fn run<W, F>(self, work: W) -> F::Output
    where
        W: FnOnce(Messages) -> F,
        F: Future,
    {
        let mut open = OpenSession::begin(
            &self.request,
            End::Cancelled,
            || tracing::info_span!(target: "throughline::http", "session", otel.name = self.name),
        );
        let messages = open.messages();
        let future = open.flight().run(|| work(messages));
        let (output, mut open) = Inside::new(future, open).await;
        open.finish(End::Complete);
        output
    }
}

/// The messages of a running [`Session`]: a span for each, and their number on the session's.
///
/// Cheap to clone, for those who send and receive in different tasks.
#[derive(Clone, Debug)]
pub struct Messages(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    session: Context,
    count: AtomicU64,
}

impl Messages {
    /// Runs `work` inside a span called `name`, in a trace of its own that links to the session, and counts one
    /// message more.
    ///
    /// # Cancel safety
    /// Dropped before it is ready, it ends the span.
    pub async fn handle<F: Future>(&self, name: &'static str, work: F) -> F::Output {
        self.0.count.fetch_add(1, Ordering::Relaxed);
        let mut open = OpenSession::begin(
            &self.0.session,
            End::Cancelled,
            || tracing::info_span!(target: "throughline::http", "message", otel.name = name),
        );
        open.counts_messages = false;
        let (output, mut open) = Inside::new(work, open).await;
        open.finish(End::Complete);
        output
    }

    /// Counts one message more, without a span.
    pub fn count(&self) {
        self.0.count.fetch_add(1, Ordering::Relaxed);
    }
}

/// A span in a trace of its own, linked to the one that it came from.
#[derive(Debug)]
pub(super) struct OpenSession {
    flight: Flight,
    shared: Arc<Shared>,
    counts_messages: bool,
    dropped: End,
    finished: bool,
}

impl OpenSession {
    /// Opens the span that `create` makes; `dropped` is how it ends where nobody ends it.
    fn begin(from: &Context, dropped: End, create: impl FnOnce() -> Span) -> Self {
        let span = with_remote(&without_span(from), create);
        if let Some(from) = from.span() {
            span.add_link(from, &[]);
        }
        let flight = Flight::unmeasured(span, from, Pipeline::current());
        let session = flight.context(from);
        let shared = Arc::new(Shared { session, count: AtomicU64::new(0) });
        Self { flight, shared, counts_messages: true, dropped, finished: false }
    }

    /// The rest of a response whose request, a span called `request_name`, has ended.
    pub(super) fn stream(request: &Context, request_name: &str) -> Self {
        let name = format!("{request_name} stream");
        Self::begin(
            request,
            End::ClientGone,
            || tracing::info_span!(target: "throughline::http", "stream", otel.name = name),
        )
    }

    fn messages(&self) -> Messages {
        Messages(Arc::clone(&self.shared))
    }
}

impl InFlight for OpenSession {
    fn flight(&mut self) -> &mut Flight {
        &mut self.flight
    }

    fn passed(&mut self, _: u64) {
        self.shared.count.fetch_add(1, Ordering::Relaxed);
    }

    fn finish(&mut self, end: End) {
        if mem::replace(&mut self.finished, true) {
            return;
        }
        let kind = if end == End::ClientGone { None } else { end.error_type() };
        self.flight.span.edit(|record| {
            if self.counts_messages {
                record.attribute(own::HTTP_MESSAGES, self.shared.count.load(Ordering::Relaxed).into());
            }
            if let Some(kind) = kind {
                record.attribute(error::ERROR_TYPE, kind.into());
                record.status(Status::Error(""));
            }
            record.attribute(own::HTTP_END, end.as_str().into());
        });
    }
}

impl Drop for OpenSession {
    fn drop(&mut self) {
        self.finish(if self.flight.panicked() { End::Panicked } else { self.dropped });
    }
}

/// The same correlation id and baggage, and no parent for what comes.
fn without_span(context: &Context) -> Context {
    let detached = Context::default().with_baggage(context.baggage().clone());
    match context.correlation_id() {
        Some(id) => detached.with_correlation_id(id.clone()),
        None => detached,
    }
}
