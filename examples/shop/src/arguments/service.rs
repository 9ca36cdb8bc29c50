//! Which services there are.

use clap::ValueEnum;

/// The five services.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Service {
    Gateway,
    Orders,
    Users,
    Fulfilment,
    Notifications,
}

impl Service {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Gateway => "gateway",
            Self::Orders => "orders",
            Self::Users => "users",
            Self::Fulfilment => "fulfilment",
            Self::Notifications => "notifications",
        }
    }
}
