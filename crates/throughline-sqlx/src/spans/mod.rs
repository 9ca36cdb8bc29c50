//! A span for each statement.

// What a program holds in the place of sqlx's own.
mod connection;
mod operation;
mod pool;
mod settings;
mod transaction;

// What happens to a statement.
mod acquire;
mod call;
mod comment;
mod executor;
mod failure;
mod generator;
mod measures;
mod names;
mod run;
mod statement;
mod watched;

// The databases.
mod place;
mod system;

pub use connection::Connection;
pub use operation::Operation;
pub use pool::{Pool, PoolConnection};
pub use settings::{QueryText, Settings};
pub use system::System;
pub use transaction::Transaction;
