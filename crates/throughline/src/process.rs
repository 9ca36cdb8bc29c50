//! From a process to the ones that it starts, through environment variables.
//!
//! ```no_run
//! use std::process::Command;
//!
//! fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     // In the parent: the child's span becomes a child of the span that is current here.
//!     Command::new("import").env_clear().envs(throughline::process::child_env()).status()?;
//!
//!     // In the child, once, when it starts:
//!     let import = throughline::core::with_remote(&throughline::process::parent(), || tracing::info_span!("import"));
//!     import.in_scope(|| tracing::info!("in the parent's trace, with its correlation id"));
//!     Ok(())
//! }
//! ```
//!
//! The variables are `TRACEPARENT`, `TRACESTATE`, `BAGGAGE` and `X_CORRELATION_ID`, or those of the formats that
//! `OTEL_PROPAGATORS` names. Other users of the machine may be able to read them.

use throughline_core::{Context, EdgePolicy, EnvCarrier, Pipeline};

/// All variables of this process, with the current context in them, for a child process.
///
/// They are a copy: this process's own stay as they are. `env_clear` before `envs` keeps out what this process got from
/// its own parent and the child is not to have.
#[must_use]
pub fn child_env() -> EnvCarrier {
    let mut variables = EnvCarrier::process();
    Pipeline::current().propagator().inject(&Context::current(), &mut variables);
    variables
}

/// The context that the parent process has put into the variables of this one, to be read once, at the start.
///
/// A process that was started by hand, or by something that knows nothing of traces, gets a context that starts anew, with
/// a fresh correlation id. What is malformed is counted and left out.
#[must_use]
pub fn parent() -> Context {
    Pipeline::current().propagator().extract(&EnvCarrier::process(), &EdgePolicy::trust())
}
