//! The patterns that keep a distributed system up, each decision visible on the span of whoever asked.
//!
//! ```text
//! call ─► cached read ─► fallback ─► retry ─► breaker ─► balancer or shard ─► time limit ─► traced client ─► instance
//!          hit, stale     degraded    resends   state      instance, health     elapsed        a span an attempt
//!
//! instance ─► traced server ─► time limit ─► load shedding ─► handler
//!              a span           not begun     refused
//! ```
//!
//! Each part is a tower layer or a small function of its own; take those you need, in that order: the
//! time limit is below breaker and balancer, because who hangs has failed, too. The mechanisms come from
//! well-kept crates where one fits; what is ours is that every decision is on the caller's span (attributes under
//! `throughline.`), a change of state is one log line, and all of it is counted in `throughline.resilience.decisions`, by
//! pattern, name and decision.
//!
//! ```
//! # #[cfg(all(feature = "retry", feature = "timeout", feature = "breaker"))] {
//! use throughline_resilience::{breaker, retry, timeout};
//! use tower::{ServiceBuilder, service_fn};
//!
//! # let http = service_fn(async |_: http::Request<()>| Ok::<_, std::io::Error>(http::Response::new(())));
//! let users = ServiceBuilder::new()
//!     .layer(retry::layer("users"))
//!     .layer(breaker::http("users"))
//!     .layer(timeout::client())
//!     .service(http);
//! # let _ = users.clone(); fn is_client<S: tower::Service<http::Request<()>>>(_: S) {} is_client(users);
//! # }
//! ```
//!
//! A span that makes several calls shows the decisions of the last one of each kind. What concerns one call (its instance,
//! its shard, the breaker's state, its time limit, and how often it was sent before) is on the traced client's own span as
//! well, one for each attempt, as long as the client is called within the layers and not in a task of its own behind a buffer.
//!
//! # Features
//!
//! | feature | brings | mechanism |
//! |---|---|---|
//! | `balance` | `balance`: round-robin, least-connections, weighted; health | `tower-resilience-outlier`, and our choice |
//! | `shard` | `shard`: consistent hash | `hashring` |
//! | `breaker` | `breaker`: closed, open, half-open | `tower-resilience-circuitbreaker` |
//! | `retry` | `retry`: backoff with full jitter, budget | `tower` |
//! | `timeout` | `timeout`: time limit, deadline for the next hop | `tokio` |
//! | `shed` | `shed`: load shedding, so many requests at once | ours |
//! | `fallback` | `fallback`: graceful degradation | ours |
//! | `cache` | `cache`: cached reads, one load a key, stale ones included | `moka`, and our wait |
//! | `full` | all of these | |
//!
//! None is on by default, and a call without these layers pays nothing for them.

// In the order in which a call meets them.
#[cfg(feature = "balance")]
pub mod balance;
#[cfg(feature = "breaker")]
pub mod breaker;
#[cfg(feature = "cache")]
pub mod cache;
#[cfg(feature = "fallback")]
pub mod fallback;
#[cfg(feature = "retry")]
pub mod retry;
#[cfg(feature = "shard")]
pub mod shard;
#[cfg(feature = "shed")]
pub mod shed;
#[cfg(feature = "timeout")]
pub mod timeout;

// What they tell each other.
#[cfg(any(feature = "balance", feature = "breaker", feature = "retry"))]
mod refused;
#[cfg(any(feature = "balance", feature = "breaker", feature = "retry"))]
pub use refused::Refused;

// What each of them tells.
#[cfg(any(
    feature = "balance",
    feature = "breaker",
    feature = "cache",
    feature = "fallback",
    feature = "retry",
    feature = "shard",
    feature = "shed",
    feature = "timeout"
))]
mod decision;
#[cfg(any(feature = "balance", feature = "breaker"))]
mod short_time;
