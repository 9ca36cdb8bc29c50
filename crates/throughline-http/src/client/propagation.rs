//! Which hosts are told the ids.

use std::{error, fmt, str::FromStr, sync::Arc};

use crate::attributes::HOST_LEN_MAX;

/// Decides, by the host of each attempt, whether trace, baggage and correlation id go out with it.
///
/// Implemented by [`EveryHost`], the default, by [`Hosts`], a list, by closures of a host's name, and by `()`, which
/// tells nobody. Called once an attempt, those after a redirect included; it must not block.
///
/// An attempt that is not told still has its span. Headers of these names that are on its request already are removed:
/// what leaves is decided here and nowhere else.
pub trait Propagation: Send + Sync + 'static {
    /// Whether `host` is told: a name or an address without port and brackets, as the request has it; `None` where it
    /// has none.
    fn allows(&self, host: Option<&str>) -> bool;
}

/// Tells every host.
#[derive(Clone, Copy, Debug, Default)]
pub struct EveryHost;

impl Propagation for EveryHost {
    fn allows(&self, _: Option<&str>) -> bool {
        true
    }
}

impl Propagation for () {
    fn allows(&self, _: Option<&str>) -> bool {
        false
    }
}

impl<F: Fn(&str) -> bool + Send + Sync + 'static> Propagation for F {
    fn allows(&self, host: Option<&str>) -> bool {
        host.is_some_and(self)
    }
}

/// The hosts that are told, and nobody else. Names are compared without regard to case.
///
/// | pattern | hosts |
/// |---|---|
/// | `users.internal`, `10.0.0.7`, `::1` | that one |
/// | `*.shop.internal` | `orders.shop.internal`, `a.b.shop.internal`, but not `shop.internal` itself |
/// | `*` | every one that has a name |
///
/// ```
/// use throughline_http::client::Hosts;
/// # fn example() -> Result<(), throughline_http::client::HostPatternError> {
/// let layer = throughline_http::client().propagation(Hosts::new(["users.internal", "*.shop.internal"])?);
/// # let _ = layer; Ok(()) }
/// # example().unwrap();
/// ```
#[derive(Clone, Debug)]
pub struct Hosts(Arc<[Pattern]>);

#[derive(Clone, Debug)]
enum Pattern {
    Every,
    Exact(String),
    /// With its leading dot.
    Suffix(String),
}

impl Hosts {
    /// Tells the hosts that match one of `patterns`.
    ///
    /// # Errors
    /// If one of them is none of the above: it has a scheme, a port, a path, or a `*` in another place.
    pub fn new<P: AsRef<str>>(patterns: impl IntoIterator<Item = P>) -> Result<Self, HostPatternError> {
        patterns.into_iter().map(|pattern| pattern.as_ref().parse()).collect::<Result<_, _>>().map(Self)
    }
}

impl Propagation for Hosts {
    fn allows(&self, host: Option<&str>) -> bool {
        let Some(host) = host else { return false };
        let host = host.strip_suffix('.').unwrap_or(host);
        self.0.iter().any(|pattern| pattern.matches(host))
    }
}

impl Pattern {
    fn matches(&self, host: &str) -> bool {
        match self {
            Self::Every => true,
            Self::Exact(exact) => host.eq_ignore_ascii_case(exact),
            Self::Suffix(suffix) => {
                let end = host.len().checked_sub(suffix.len()).filter(|place| *place > 0);
                end.and_then(|place| host.get(place..)).is_some_and(|end| end.eq_ignore_ascii_case(suffix))
            }
        }
    }
}

impl FromStr for Pattern {
    type Err = HostPatternError;

    fn from_str(text: &str) -> Result<Self, HostPatternError> {
        let pattern = text.trim();
        if pattern == "*" {
            return Ok(Self::Every);
        }
        let name = pattern.strip_prefix("*.").unwrap_or(pattern);
        let name = name.strip_suffix('.').unwrap_or(name);
        if !is_host(name) {
            return Err(HostPatternError(text.to_owned()));
        }
        let is_suffix = pattern.starts_with("*.");
        Ok(if is_suffix { Self::Suffix(format!(".{name}")) } else { Self::Exact(name.to_owned()) })
    }
}

/// A name of letters, digits, `-` and `_` between dots, or an IPv6 address.
fn is_host(name: &str) -> bool {
    let is_label = |label: &str| {
        !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    let is_name = name.len() <= HOST_LEN_MAX && name.split('.').all(is_label);
    is_name || name.parse::<std::net::Ipv6Addr>().is_ok()
}

/// A text that is no pattern for hosts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostPatternError(String);

impl fmt::Display for HostPatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:?} is neither a host such as users.internal nor a pattern such as *.shop.internal",
            self.0
        )
    }
}

impl error::Error for HostPatternError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_on_the_list_or_not() {
        for (pattern, host, expected) in [
            ("users.internal", "users.internal", true),
            ("users.internal", "USERS.internal.", true),
            ("users.internal", "evil-users.internal", false),
            ("users.internal", "users.internal.evil.test", false),
            ("users.internal", "a.users.internal", false),
            ("*.shop.internal", "orders.shop.internal", true),
            ("*.shop.internal", "a.b.SHOP.internal", true),
            ("*.shop.internal", "shop.internal", false),
            ("*.shop.internal", ".shop.internal", false),
            ("*.shop.internal", "evilshop.internal", false),
            ("*.shop.internal", "\u{e4}\u{e4}\u{e4}\u{e4}\u{e4}\u{e4}\u{e4}\u{e4}", false),
            ("::1", "::1", true),
            ("10.0.0.7", "10.0.0.7", true),
            ("10.0.0.7", "10.0.0.70", false),
            ("*", "anything.test", true),
        ] {
            let hosts = Hosts::new([pattern]).unwrap();
            assert_eq!(hosts.allows(Some(host)), expected, "{pattern} {host}");
            assert!(!hosts.allows(None));
        }
        assert!(!Hosts::new::<&str>([]).unwrap().allows(Some("users.internal")));
    }

    #[test]
    fn what_is_no_pattern_is_named() {
        for pattern in [
            "",
            "*.",
            "http://a.test",
            "a.test:80",
            "a.test/x",
            "a.*.test",
            "*a.test",
            "**",
            "a..test",
            "[::1]",
        ] {
            let error = Hosts::new([pattern]).unwrap_err();
            assert!(error.to_string().starts_with(&format!("{pattern:?} is neither")), "{error}");
        }
    }

    #[test]
    fn everybody_nobody_and_a_closure() {
        assert!(EveryHost.allows(None) && EveryHost.allows(Some("a.test")));
        assert!(!().allows(Some("a.test")));
        let closure = |host: &str| host.ends_with(".internal");
        assert!(
            closure.allows(Some("a.internal")) && !closure.allows(Some("a.test")) && !closure.allows(None)
        );
    }
}
