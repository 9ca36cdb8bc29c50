//! The demo as a user runs it: what it prints, what it writes, what the services told, how it ends.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a test may panic")]

// Running it.
mod program; // the demo, run to its end or for as long as a test wants
mod told; // what its services told meanwhile

mod ending; // Ctrl-C, a demo that is killed, a service that dies
mod flags; // what is refused, and the lists
mod load; // many orders, while instances are killed
mod orders; // one order as one trace, its log lines, its files
mod overload; // more orders than it can take
mod scenarios; // each pattern at work
