//! What is known of a call before the client's span of it is there.
//!
//! ```text
//! layer: CallDecision::within ─► layer: CallDecision::within ─► client: describe_call
//!          └── both tell the caller's span, with one look-up           └── tells the call's own
//! ```

mod decision;
mod facts;

pub use decision::{CallDecision, describe_call, describe_call_on};
pub use facts::{CallFact, CallFacts, CallValue};
