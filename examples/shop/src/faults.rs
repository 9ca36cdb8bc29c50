//! Services that fail on purpose.

mod on_purpose;
mod rate;

pub(crate) use on_purpose::{Change, Faults, OnPurpose};
pub(crate) use rate::Rate;
