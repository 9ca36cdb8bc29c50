//! Ports for servers that can't choose one themselves.

use std::net::{Ipv4Addr, TcpListener};

/// How often a start is tried again when somebody else took a port in between.
const STARTS_MAX: usize = 3;

/// Ports of the loopback that were free a moment ago, all different.
///
/// # Panics
///
/// When there are none left.
#[must_use]
pub fn free_ports<const N: usize>() -> [u16; N] {
    // Held together until all are known: one at a time could give the same port twice.
    let held: [TcpListener; N] =
        std::array::from_fn(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port"));
    held.map(|listener| listener.local_addr().expect("the address of a bound socket").port())
}

/// Starts a server whose port was free a moment ago. Where somebody took it in between, the server says so and ends, and
/// `start` is called again, to choose others.
///
/// # Panics
///
/// When the server ends for another reason, with what it printed, which is the error of `start`; and the third time.
pub fn retried<T>(mut start: impl FnMut() -> Result<T, String>) -> T {
    for _ in 1..STARTS_MAX {
        match start() {
            Ok(started) => return started,
            Err(log) => {
                assert!(log.to_lowercase().contains("address already in use"), "it ended at once:\n{log}")
            }
        }
    }
    start().unwrap_or_else(|log| panic!("it ended at once:\n{log}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_all_different() {
        let ports = free_ports::<8>();
        assert_eq!(ports.iter().collect::<std::collections::HashSet<_>>().len(), ports.len());
    }

    #[test]
    fn a_taken_port_is_given_up_for_another() {
        let mut answers = ["bind: Address already in use", ""].into_iter();
        let started = retried(|| match answers.next() {
            Some("") => Ok(7),
            said => Err(said.unwrap_or("called too often").to_owned()),
        });
        assert_eq!(started, 7);
    }
}
