//! How the gateway chooses an instance of orders.

use clap::ValueEnum;
use throughline::resilience::balance::Strategy;

/// How the gateway chooses an instance of orders.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Balance {
    #[default]
    RoundRobin,
    LeastConnections,
    /// orders-1 gets twice as many as the others.
    Weighted,
}

impl Balance {
    pub(crate) const fn strategy(self) -> Strategy {
        match self {
            Self::RoundRobin => Strategy::RoundRobin,
            Self::LeastConnections => Strategy::LeastConnections,
            Self::Weighted => Strategy::Weighted,
        }
    }
}
