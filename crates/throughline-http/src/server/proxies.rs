//! Whose word on a request's origin counts.

use std::{error, fmt, net::IpAddr, sync::Arc};

use ipnet::IpNet;

/// The networks of the proxies in front of a service: only what comes from there may say, with `forwarded` or
/// `x-forwarded-for`, `-proto` and `-host`, where a request was first sent from and to.
///
/// Empty by default, so that these headers mean nothing. An IPv4 address that arrives mapped into IPv6
/// (`::ffff:192.0.2.7`) counts as the IPv4 address. Cheap to clone.
///
/// ```
/// use throughline_http::server::TrustedProxies;
/// # fn example() -> Result<(), throughline_http::server::NetworkError> {
/// let proxies = TrustedProxies::new(["10.0.0.0/8", "fd00::/8", "192.0.2.7"])?;
/// assert!(proxies.contains([10, 1, 2, 3].into()) && !proxies.contains([192, 0, 2, 8].into()));
///
/// let layer = throughline_http::server().trusted_proxies(proxies);
/// # let _ = layer; Ok(()) }
/// # example().unwrap();
/// ```
#[derive(Clone, Debug, Default)]
pub struct TrustedProxies(Arc<[IpNet]>);

impl TrustedProxies {
    /// Trusts these networks in CIDR notation, and single addresses.
    ///
    /// # Errors
    /// If one of them is neither.
    pub fn new<N: AsRef<str>>(networks: impl IntoIterator<Item = N>) -> Result<Self, NetworkError> {
        networks.into_iter().map(|network| parsed(network.as_ref())).collect::<Result<_, _>>().map(Self)
    }

    /// Whether `address` is in one of the networks.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn parsed(text: &str) -> Result<IpNet, NetworkError> {
    let text = text.trim();
    let network = text.parse().ok().or_else(|| text.parse::<IpAddr>().map(IpNet::from).ok());
    network.ok_or_else(|| NetworkError(text.to_owned()))
}

/// A text that is neither a network in CIDR notation nor an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetworkError(String);

impl fmt::Display for NetworkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is neither a network such as 10.0.0.0/8 nor an address", self.0)
    }
}

impl error::Error for NetworkError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_of_both_families() {
        let proxies = TrustedProxies::new([" 10.0.0.0/8", "2001:db8::/32", "192.0.2.7"]).unwrap();
        for (address, expected) in [
            ("10.255.0.1", true),
            ("::ffff:10.0.0.1", true),
            ("11.0.0.1", false),
            ("2001:db8:1::1", true),
            ("2001:db9::1", false),
            ("192.0.2.7", true),
            ("192.0.2.6", false),
        ] {
            assert_eq!(proxies.contains(address.parse().unwrap()), expected, "{address}");
        }
    }

    #[test]
    fn what_is_no_network_is_named() {
        for text in ["10.0.0.0/33", "proxy.internal", "10.0.0", ""] {
            let error = TrustedProxies::new([text]).unwrap_err();
            assert!(error.to_string().starts_with(&format!("{text:?} is neither")), "{error}");
        }
    }
}
