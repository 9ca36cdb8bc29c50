//! Which services there are.

use std::str::FromStr;

use clap::ValueEnum;

/// The services of the shop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Service {
    Gateway,
    Orders,
    Users,
    Recommendations,
    Fulfilment,
    Notifications,
    RecentOrders,
    Analytics,
}

impl Service {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Gateway => "gateway",
            Self::Orders => "orders",
            Self::Users => "users",
            Self::Recommendations => "recommendations",
            Self::Fulfilment => "fulfilment",
            Self::Notifications => "notifications",
            Self::RecentOrders => "recent-orders",
            Self::Analytics => "analytics",
        }
    }
}

impl FromStr for Service {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        <Self as ValueEnum>::from_str(text, false).map_err(|_| unknown_service(text))
    }
}

fn unknown_service(name: &str) -> String {
    let known: Vec<_> = Service::value_variants().iter().map(|service| service.name()).collect();
    format!("no service {name:?}; there are {}", known.join(", "))
}
