//! Each pattern: what it does, and what the caller's span says of it.

#![cfg(feature = "full")]
#![expect(clippy::unwrap_used, reason = "helpers of tests are tests, too")]

mod balance;
mod breaker;
mod fallback;
mod health; // what is held against whom
mod loads; // reads of one key at the same time
mod races; // the same on several threads
mod refusals; // what is not sent again
mod resends;
mod shards_and_cache;
mod shedding;
mod time_limit;

mod told; // requests, answers, and what is told of them
