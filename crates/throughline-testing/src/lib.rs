//! Telemetry in tests: what a service recorded, shown as text that a test can expect.
//!
//! - [`Capture`]: spans, log lines and measurements of one test, through the real layers, without globals.
//! - [`SpanTree`] and [`TreeText`]: spans as trees in text, ids replaced by numbers, so that a wrong parent shows.
//! - [`edges`]: who called whom.
//! - [`one_trace`], [`no_orphans`], [`no_secrets`]: assertions whose messages show the tree.
//! - [`snapshot`]: the same tree in a file, compared and updated.
//! - [`collector`]: an OpenTelemetry Collector in the process, over gRPC and HTTP, that can refuse, hang, be slow and answer
//!   nonsense.
//!
//! ```
//! use throughline_testing::Capture;
//! use tracing::{info, info_span};
//!
//! let capture = Capture::new("orders");
//! capture.run(|| {
//!     info_span!("accept").in_scope(|| {
//!         info!("looking up the user");
//!         info_span!("store").in_scope(|| info!("stored"));
//!     });
//! });
//! assert_eq!(capture.tree(), "\
//! orders: accept (internal) #1
//!   orders: store (internal) #2");
//! ```

mod capture;
mod edges;
mod no_orphans;
mod no_secrets;
mod one_trace;
mod secret_shapes;
mod seen;
mod snapshot;
mod text;
mod tree;

pub use capture::{Capture, CaptureBuilder, Measurement};
pub use edges::{Edge, Relation, edges};
pub use no_orphans::no_orphans;
pub use no_secrets::no_secrets;
pub use one_trace::one_trace;
pub use seen::Seen;
pub use snapshot::snapshot;
pub use text::TreeText;
pub use throughline_receiver as collector;
pub use tree::{Node, SpanTree};
