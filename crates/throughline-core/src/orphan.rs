//! Work that has left its trace, found while a service is developed.

use std::{
    fmt,
    panic::Location,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};

use tracing::Metadata;

use crate::{
    DIAGNOSTICS_TARGET, Pipeline, current,
    semconv::code::{CODE_FILE_PATH, CODE_LINE_NUMBER},
};

/// Finds spans, requests and messages that begin where nothing is current: in a task that was spawned without
/// [`carry`](crate::Carry::carry), on a thread that nobody took anything along to.
///
/// A switch for development, off unless it is set in [`PipelineBuilder::orphans`](crate::PipelineBuilder::orphans) or by
/// `THROUGHLINE_ORPHANS=true`. Each place in the source is told once, with file and line, as a warning of the target
/// [`DIAGNOSTICS_TARGET`]: the place of a span is where its macro stands, that of a request or a message where the client
/// was called.
///
/// # What is an orphan
///
/// A root span, an outgoing request or an outgoing message that begins while neither a span nor a context is entered on its
/// thread. The spans of a server or a consumer never are: the context of what came in is entered around them, also where
/// the caller sent nothing. A task that only logs is none either; its lines have no ids.
///
/// # What is none, because somebody says so
///
/// | it is meant to be a root | how to say so |
/// |---|---|
/// | one span | `info_span!(parent: None, "nightly")` |
/// | all that a background job does | `tokio::spawn(job.carry_in(Context::root()))` |
/// | the same without a future | `with_remote(&Context::root(), \|\| …)` |
/// | a module that one doesn't want to touch | [`allow`](Self::allow) |
///
/// ```
/// use throughline_core::{ContextLayer, Orphans, Pipeline};
/// use tracing_subscriber::prelude::*;
///
/// let orphans = Orphans::new().allow("my_service::housekeeping");
/// let pipeline = Pipeline::builder().orphans(orphans.clone()).build();
/// let subscriber = tracing_subscriber::registry().with(ContextLayer::new(pipeline));
/// tracing::subscriber::with_default(subscriber, || {
///     let span = tracing::info_span!("lost");
///     span.in_scope(|| ());
/// });
/// assert_eq!(orphans.found()[0].name(), "lost");
/// ```
///
/// Cheap to clone; clones share what was found.
#[derive(Clone, Debug)]
#[must_use = "nothing is found until a pipeline has it"]
pub struct Orphans {
    allowed: Arc<[String]>,
    found: Arc<Found>,
}

/// The most places in the source that are remembered and told; what happens at others is only counted.
pub const ORPHAN_SITES_MAX: usize = 256;

#[derive(Debug)]
struct Found {
    sites: Mutex<Vec<Orphan>>,
    count: AtomicU64,
}

/// How many detectors there are in this process: while there is none, nobody looks for one.
static DETECTORS: AtomicUsize = AtomicUsize::new(0);

impl Orphans {
    /// A detector that allows nothing.
    pub fn new() -> Self {
        DETECTORS.fetch_add(1, Ordering::Relaxed);
        let found = Found { sites: Mutex::default(), count: AtomicU64::new(0) };
        Self { allowed: Arc::default(), found: Arc::new(found) }
    }

    /// Takes no notice of spans whose target begins like this, and of calls from files whose path has this in it.
    pub fn allow(mut self, place: &str) -> Self {
        self.allowed = self.allowed.iter().cloned().chain([place.to_owned()]).collect();
        self
    }

    /// The first orphan of each place, in the order in which they were found; at most [`ORPHAN_SITES_MAX`].
    #[must_use]
    pub fn found(&self) -> Vec<Orphan> {
        self.found.sites().clone()
    }

    /// How many orphans there were, those of the same place and those beyond the limit included.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.found.count.load(Ordering::Relaxed)
    }

    /// Whether a span with this metadata, created now without a parent of its own, is an orphan.
    ///
    /// Those of our hops are left out: the hops report themselves, with the place that they were called from.
    pub(crate) fn is_orphan(&self, metadata: &Metadata<'_>) -> bool {
        let target = metadata.target();
        let is_a_hop = target.starts_with("throughline::");
        current::is_empty()
            && !is_a_hop
            && !self.allowed.iter().any(|place| target.starts_with(place.as_str()))
    }

    pub(crate) fn report_span(&self, metadata: &'static Metadata<'static>) {
        self.report(&Orphan {
            kind: OrphanKind::Span,
            name: metadata.name().to_owned(),
            file: metadata.file().unwrap_or_default(),
            line: metadata.line().unwrap_or_default(),
        });
    }

    /// Counts the orphan, and tells of it if it is the first of its place.
    fn report(&self, orphan: &Orphan) {
        self.found.count.fetch_add(1, Ordering::Relaxed);
        if self.found.is_new(orphan) {
            let remedy = orphan.kind.remedy();
            tracing::warn!(
                target: DIAGNOSTICS_TARGET,
                { { CODE_FILE_PATH } = orphan.file, { CODE_LINE_NUMBER } = orphan.line },
                "{orphan}; {remedy}"
            );
        }
    }
}

impl Default for Orphans {
    fn default() -> Self {
        Self::new()
    }
}

impl Found {
    /// Remembers the orphan, if its place is a new one and there is room. The lock isn't held while it is told of.
    fn is_new(&self, orphan: &Orphan) -> bool {
        let mut sites = self.sites();
        let is_new =
            sites.len() < ORPHAN_SITES_MAX && !sites.iter().any(|known| known.is_at_the_place_of(orphan));
        if is_new {
            sites.push(orphan.clone());
        }
        is_new
    }

    fn sites(&self) -> MutexGuard<'_, Vec<Orphan>> {
        self.sites.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Found {
    fn drop(&mut self) {
        DETECTORS.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Says that work leaves the process, and that the trace it belongs to should be current now.
///
/// For clients and brokers of your own; ours call it. `place` is where the application called the client: take
/// [`Location::caller`] in a function that is `#[track_caller]`. `name` says what leaves, and is asked for only where
/// something is found. Costs one load where no detector is switched on.
///
/// ```
/// use std::panic::Location;
/// use throughline_core::{OrphanKind, expect_current};
///
/// #[track_caller]
/// fn publish(topic: &str) -> impl Future<Output = ()> {
///     let place = Location::caller();
///     async move {
///         // In the future's own body: what counts is what is current when it runs.
///         expect_current(OrphanKind::Message, place, || format!("publish {topic}"));
///     }
/// }
/// # let _ = publish("order.created");
/// ```
pub fn expect_current(kind: OrphanKind, place: &'static Location<'static>, name: impl FnOnce() -> String) {
    if DETECTORS.load(Ordering::Relaxed) == 0 || !current::is_empty() {
        return;
    }
    let pipeline = Pipeline::current();
    let Some(orphans) = pipeline.orphans() else { return };
    if !orphans.allowed.iter().any(|allowed| place.file().contains(allowed.as_str())) {
        orphans.report(&Orphan { kind, name: name(), file: place.file(), line: place.line() });
    }
}

/// What left its trace, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Orphan {
    kind: OrphanKind,
    name: String,
    file: &'static str,
    line: u32,
}

/// What it is that left its trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OrphanKind {
    /// A span that starts a trace.
    Span,
    /// A request, from where its client was called.
    Request,
    /// A request or a call that passes a layer. Who called is hidden behind other layers and generated code: the place may
    /// be in these, and each name is told once at it.
    Call,
    /// A message to a broker or a channel.
    Message,
}

impl OrphanKind {
    const fn remedy(self) -> &'static str {
        match self {
            Self::Span => "carry() the task around it, or make it a root with parent: None",
            Self::Request | Self::Call | Self::Message => {
                "carry() the task that sends it, or carry_in(Context::root()) a job that stands alone"
            }
        }
    }
}

impl Orphan {
    fn is_at_the_place_of(&self, other: &Self) -> bool {
        let is_there = (self.kind, self.file, self.line) == (other.kind, other.file, other.line);
        is_there && (self.kind != OrphanKind::Call || self.name == other.name)
    }

    /// What it is.
    #[must_use]
    pub const fn kind(&self) -> OrphanKind {
        self.kind
    }

    /// The name of the span in its macro, or what was sent.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The file where the span is made, or the client was called; empty where it isn't known.
    #[must_use]
    pub const fn file(&self) -> &'static str {
        self.file
    }

    /// The line in that file; 0 where it isn't known.
    #[must_use]
    pub const fn line(&self) -> u32 {
        self.line
    }
}

/// `src/jobs.rs:42: the span "refresh" begins a trace of its own, because nothing is current`
impl fmt::Display for Orphan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, name, file, line } = self;
        let what = match kind {
            OrphanKind::Span => "the span",
            OrphanKind::Request | OrphanKind::Call => "the request",
            OrphanKind::Message => "the message",
        };
        let left =
            if *kind == OrphanKind::Span { "begins a trace of its own" } else { "leaves without its trace" };
        write!(f, "{file}:{line}: {what} {name:?} {left}, because nothing is current")
    }
}
