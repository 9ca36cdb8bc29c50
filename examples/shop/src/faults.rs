//! Services that fail on purpose.

use std::{fmt, str::FromStr};

/// The share of its work that a service fails.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Rate(f64);

impl Rate {
    pub(crate) const NEVER: Self = Self(0.0);

    /// Whether this piece of work is to fail.
    pub(crate) fn strikes(self) -> bool {
        rand::random::<f64>() < self.0
    }
}

impl FromStr for Rate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.parse() {
            Ok(rate) if (0.0..=1.0).contains(&rate) => Ok(Self(rate)),
            _ => Err(format!("a rate between 0 and 1 is wanted, not {text:?}")),
        }
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ends_of_the_range_are_certain() {
        let (never, always): (Rate, Rate) = ("0".parse().unwrap(), "1".parse().unwrap());
        assert!((0..100).all(|_| always.strikes() && !never.strikes()));
    }
}
