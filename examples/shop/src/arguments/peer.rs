//! Where another service listens.

use std::{net::SocketAddr, str::FromStr};

use super::Service;

/// An instance of another service, as in `users=127.0.0.1:8080`. The instances of a service are numbered in the order in
/// which they are named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Peer {
    pub(crate) service: Service,
    pub(crate) address: SocketAddr,
}

impl FromStr for Peer {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (service, address) =
            text.split_once('=').ok_or("SERVICE=ADDR is wanted, as in users=127.0.0.1:8080")?;
        let address = address.parse().map_err(|_| format!("{address:?} is no address with a port"))?;
        Ok(Self { service: service.parse()?, address })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_has_a_service_and_an_address() {
        let peer: Peer = "recent-orders=127.0.0.1:80".parse().unwrap();
        assert_eq!(peer, Peer { service: Service::RecentOrders, address: ([127, 0, 0, 1], 80).into() });
        for (bad, expected) in [
            ("127.0.0.1:80", "SERVICE=ADDR"),
            ("user=127.0.0.1:80", "no service"),
            ("users=here", "no address"),
        ] {
            assert!(bad.parse::<Peer>().unwrap_err().contains(expected), "{bad}");
        }
    }
}
