//! Which of several instances gets a call.
//!
//! ```
//! use throughline_resilience::balance::{Balancer, Strategy};
//! use tower::{ServiceExt, service_fn};
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let instance = |name: &'static str| {
//!     service_fn(move |_: http::Request<()>| std::future::ready(Ok::<_, std::io::Error>(http::Response::new(name))))
//! };
//! let orders = Balancer::builder("orders")
//!     .strategy(Strategy::RoundRobin)
//!     .instance("orders-1", instance("orders-1"))
//!     .instance("orders-2", instance("orders-2"))
//!     .build();
//!
//! let first = orders.clone().oneshot(http::Request::new(())).await?;
//! let second = orders.clone().oneshot(http::Request::new(())).await?;
//! assert_ne!(first.body(), second.body());
//! # Ok(()) }
//! ```
//!
//! Every strategy passes over instances that are not healthy:
//!
//! - **passively**, by its calls: five failures in a row (errors, and answers with 5xx) eject an instance for 10 s, and if it
//!   fails again without having answered well, for 20 s, 40 s … up to a minute; never more than half of all are ejected;
//! - **actively**, by [`Balancer::probe`], which asks each instance now and then; what is ejected stays so, whatever it answers.
//!
//! An instance that hangs fails nothing by itself: put a time limit of this crate on each, below the balancer. A call whose caller
//! had less than [`FAIR_TIME`] is not held against the instance that didn't answer it in time.
//!
//! An ejected instance comes back by itself. Where no instance is healthy, any of them is chosen: a call that may fail is better
//! than one that must.
//!
//! On the caller's span and on the call's own: `throughline.balance.strategy`, `.instance`, `.healthy` and `.total`. The
//! ejections are the crate `tower-resilience-outlier`; the choice is ours, because `tower`'s balance knows two random choices
//! only, and no health.

mod builder;
mod instance;
mod probe;
mod service;
mod strategy;

pub use builder::{BalancerBuilder, EJECTED_FOR, EJECTED_FOR_MAX, FAILURES};
pub use service::{BalanceError, BalanceFuture, Balancer};
pub use strategy::Strategy;

pub use crate::short_time::FAIR_TIME;
