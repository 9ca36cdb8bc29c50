//! The share of its work that a service fails.

use std::{fmt, str::FromStr};

use serde::Deserialize;

/// The share of its work that a service fails, from 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(try_from = "f64")]
pub(crate) struct Rate(f64);

impl Rate {
    pub(crate) const NEVER: Self = Self(0.0);

    /// Whether this piece of work is to fail.
    pub(crate) fn strikes(self) -> bool {
        rand::random::<f64>() < self.0
    }

    pub(super) const fn to_bits(self) -> u64 {
        self.0.to_bits()
    }

    /// The rate that [`to_bits`](Self::to_bits) was asked for.
    pub(super) const fn from_bits(bits: u64) -> Self {
        Self(f64::from_bits(bits))
    }
}

impl TryFrom<f64> for Rate {
    type Error = String;

    fn try_from(number: f64) -> Result<Self, String> {
        if (0.0..=1.0).contains(&number) { Ok(Self(number)) } else { Err(wanted(&number.to_string())) }
    }
}

impl FromStr for Rate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.parse::<f64>().map_err(|_| wanted(text)).and_then(Self::try_from)
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

fn wanted(text: &str) -> String {
    format!("a rate between 0 and 1 is wanted, not {text:?}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ends_of_the_range_are_certain() {
        let (never, always): (Rate, Rate) = ("0".parse().unwrap(), "1".parse().unwrap());
        assert!((0..100).all(|_| always.strikes() && !never.strikes()));
    }

    #[test]
    fn what_is_no_share_is_refused() {
        for bad in ["1.5", "-0.1", "NaN", "often", ""] {
            assert!(bad.parse::<Rate>().unwrap_err().contains("between 0 and 1"), "{bad}");
        }
    }
}
