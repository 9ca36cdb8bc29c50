//! Where a request goes.

use std::fmt;

use http::{HeaderMap, Uri, header};

use crate::attributes;

/// Where a request goes.
pub(crate) struct Target {
    /// The absolute address, not yet free of secrets.
    pub(crate) url: Option<String>,
    pub(crate) host: Option<String>,
    pub(crate) port: Option<u16>,
}

impl Target {
    /// From the address of a request, or from its `Host` where the address is a mere path.
    pub(crate) fn of(uri: &Uri, headers: &HeaderMap) -> Self {
        let scheme = uri.scheme().and_then(attributes::scheme);
        if let Some(authority) = uri.authority() {
            let (host, port) = attributes::host_and_port(authority.as_str()).unzip();
            return Self::new(Some(uri.to_string()), host, port.flatten(), scheme);
        }
        let Some(authority) = attributes::header_text(headers, &header::HOST) else {
            return Self::new(None, None, None, scheme);
        };
        // A connection that is handed a path alone doesn't say whether it is encrypted.
        let (host, port) = attributes::host_and_port(authority).unzip();
        Self::new(Some(format!("http://{authority}{uri}")), host, port.flatten(), Some("http"))
    }

    fn new(url: Option<String>, host: Option<&str>, port: Option<u16>, scheme: Option<&'static str>) -> Self {
        let port = port.or_else(|| attributes::default_port(scheme?));
        Self { url, host: host.map(str::to_owned), port }
    }
}

impl fmt::Debug for Target {
    /// Shows no address in full: it may hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Target").field("host", &self.host).field("port", &self.port).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_absolute() {
        for (uri, host, expected) in [
            ("http://a.test/p?q=1", None, (Some("http://a.test/p?q=1"), Some("a.test"), Some(80))),
            ("https://a.test:8443/", None, (Some("https://a.test:8443/"), Some("a.test"), Some(8443))),
            (
                "http://user:secret@a.test/",
                None,
                (Some("http://user:secret@a.test/"), Some("a.test"), Some(80)),
            ),
            ("/p", Some("b.test:81"), (Some("http://b.test:81/p"), Some("b.test"), Some(81))),
            ("/p", None, (None, None, None)),
        ] {
            let mut headers = HeaderMap::new();
            if let Some(host) = host {
                headers.insert(header::HOST, host.parse().unwrap());
            }
            let target = Target::of(&uri.parse().unwrap(), &headers);
            assert_eq!((target.url.as_deref(), target.host.as_deref(), target.port), expected, "{uri}");
        }
    }
}
