//! Where a request came from, by the word of trusted proxies.

use std::net::{IpAddr, SocketAddr};

use http::{HeaderMap, HeaderName, header, uri::Authority};

use super::TrustedProxies;

/// How many proxies in a row are followed; what stands further from us is not believed.
const HOPS_MAX: usize = 32;

/// What the proxies say of a request; nothing where none is trusted.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Origin {
    /// The right-most address that is not a trusted proxy's, or the left-most one if all are.
    pub(super) client: Option<IpAddr>,
    pub(super) scheme: Option<&'static str>,
    /// As in a `Host` header.
    pub(super) host: Option<String>,
    /// Whether a part could not be read.
    pub(super) is_invalid: bool,
}

static X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
static X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
static X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

impl Origin {
    /// Reads `forwarded` (RFC 7239), or, where there is none, `x-forwarded-for`, `-proto` and `-host`.
    ///
    /// Every proxy appends the address that it was called from, so one goes from the right, as long as whoever appended
    /// is trusted. A name that hides an address (`unknown`, `_proxy1`) and garbage end the walk, because nobody knows
    /// whose word the rest is. Scheme and host are those which that last proxy was asked for.
    pub(super) fn of(headers: &HeaderMap, peer: SocketAddr, proxies: &TrustedProxies) -> Self {
        if proxies.is_empty() || !proxies.contains(peer.ip()) {
            return Self::default();
        }
        let mut origin = Self::default();
        if headers.contains_key(header::FORWARDED) {
            origin.read_forwarded(headers, proxies);
        } else {
            origin.read_x_forwarded(headers, proxies);
        }
        origin
    }

    fn read_forwarded(&mut self, headers: &HeaderMap, proxies: &TrustedProxies) {
        let elements: Vec<&str> =
            lines(headers, &header::FORWARDED).flat_map(|line| split(line, ',')).collect();
        for element in elements.iter().rev().take(HOPS_MAX) {
            let Some(hop) = Hop::parse(element) else {
                self.is_invalid = true;
                return;
            };
            self.take_scheme(hop.proto.as_deref());
            self.take_host(hop.host.as_deref());
            if !self.take_client(hop.node.as_deref().map_or(Node::Hidden, Node::parse), proxies) {
                return;
            }
        }
    }

    fn read_x_forwarded(&mut self, headers: &HeaderMap, proxies: &TrustedProxies) {
        let mut hops = 0;
        for node in list(headers, &X_FORWARDED_FOR).iter().rev().take(HOPS_MAX) {
            hops += 1;
            if !self.take_client(Node::parse(node), proxies) {
                break;
            }
        }
        let of_that_hop = |name| {
            let values = list(headers, name);
            // Not every proxy appends to these two: the list may be shorter.
            let place = values.len().saturating_sub(hops.max(1));
            values.get(place).map(|value| (*value).to_owned())
        };
        self.take_scheme(of_that_hop(&X_FORWARDED_PROTO).as_deref());
        self.take_host(of_that_hop(&X_FORWARDED_HOST).as_deref());
    }

    /// Takes notice of who called a proxy that is trusted; whether that one is trusted, too.
    fn take_client(&mut self, node: Node, proxies: &TrustedProxies) -> bool {
        match node {
            Node::Address(address) => {
                self.client = Some(address);
                proxies.contains(address)
            }
            Node::Hidden => false,
            Node::Garbage => {
                self.is_invalid = true;
                false
            }
        }
    }

    fn take_scheme(&mut self, proto: Option<&str>) {
        match proto {
            None => {}
            Some(proto) if proto.eq_ignore_ascii_case("https") => self.scheme = Some("https"),
            Some(proto) if proto.eq_ignore_ascii_case("http") => self.scheme = Some("http"),
            Some(_) => self.is_invalid = true,
        }
    }

    fn take_host(&mut self, host: Option<&str>) {
        let Some(host) = host else { return };
        // Credentials don't belong there.
        match host.parse::<Authority>() {
            Ok(authority) if !host.contains('@') => self.host = Some(authority.as_str().to_owned()),
            _ => self.is_invalid = true,
        }
    }
}

/// Who called a proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Node {
    Address(IpAddr),
    /// `unknown`, or an alias such as `_proxy1`.
    Hidden,
    Garbage,
}

impl Node {
    /// Reads `192.0.2.7`, `192.0.2.7:4711`, `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:4711`.
    fn parse(text: &str) -> Self {
        let (name, port) = match text.strip_prefix('[') {
            Some(rest) => rest.split_once(']').unwrap_or((text, "")),
            None if text.matches(':').count() == 1 => text.split_at(text.find(':').unwrap_or(text.len())),
            None => (text, ""),
        };
        let is_port = port.is_empty()
            || port
                .strip_prefix(':')
                .is_some_and(|port| port.starts_with('_') || port.parse::<u16>().is_ok());
        if !is_port {
            Self::Garbage
        } else if name.eq_ignore_ascii_case("unknown") || name.starts_with('_') {
            Self::Hidden
        } else {
            name.parse::<IpAddr>().map_or(Self::Garbage, |address| Self::Address(address.to_canonical()))
        }
    }
}

/// One element of `forwarded`.
#[derive(Default)]
struct Hop {
    node: Option<String>,
    proto: Option<String>,
    host: Option<String>,
}

impl Hop {
    /// `None` where the element isn't `name=value;name="value"`, or says a thing twice.
    fn parse(element: &str) -> Option<Self> {
        let mut hop = Self::default();
        for pair in split(element, ';') {
            let (name, value) = pair.split_once('=')?;
            let place = match name {
                _ if name.eq_ignore_ascii_case("for") => &mut hop.node,
                _ if name.eq_ignore_ascii_case("proto") => &mut hop.proto,
                _ if name.eq_ignore_ascii_case("host") => &mut hop.host,
                _ => continue,
            };
            if place.replace(unquoted(value)?).is_some() {
                return None;
            }
        }
        Some(hop)
    }
}

/// The text of a token or of a quoted string.
fn unquoted(value: &str) -> Option<String> {
    let Some(quoted) = value.strip_prefix('"') else {
        return (!value.contains('"')).then(|| value.to_owned());
    };
    let (mut text, mut rest) = (String::new(), quoted.strip_suffix('"')?.chars());
    while let Some(character) = rest.next() {
        match character {
            '"' => return None,
            '\\' => text.push(rest.next()?),
            _ => text.push(character),
        }
    }
    Some(text)
}

/// The lines of a header that are text, in order; the others count as empty ones, which end any walk.
fn lines<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> {
    headers.get_all(name).iter().map(|line| line.to_str().unwrap_or(NO_TEXT))
}

/// What stands for a line that is no text: an element that cannot be read.
const NO_TEXT: &str = "?";

/// The elements of a header that is a plain list.
fn list<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Vec<&'a str> {
    lines(headers, name)
        .flat_map(|line| line.split(','))
        .map(str::trim)
        .filter(|one| !one.is_empty())
        .collect()
}

/// The trimmed parts between separators outside quoted strings, empty ones left out.
fn split(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let (mut quoted, mut escaped) = (false, false);
    let parts = text.split(move |character| {
        let separates = character == separator && !quoted;
        quoted ^= character == '"' && !escaped;
        escaped = quoted && character == '\\' && !escaped;
        separates
    });
    parts.map(str::trim).filter(|part| !part.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROXIES: [&str; 2] = ["10.0.0.0/8", "2001:db8:ffff::/48"];

    fn origin(peer: &str, headers: &[(&'static str, &str)]) -> String {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, http::HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        let peer = SocketAddr::new(peer.parse().unwrap(), 4711);
        let origin = Origin::of(&map, peer, &TrustedProxies::new(PROXIES).unwrap());
        let client = origin.client.map_or_else(|| "-".to_owned(), |client| client.to_string());
        let invalid = if origin.is_invalid { " invalid" } else { "" };
        format!(
            "{client} {} {}{invalid}",
            origin.scheme.unwrap_or("-"),
            origin.host.as_deref().unwrap_or("-")
        )
    }

    #[test]
    fn only_trusted_peers_are_believed() {
        let headers = [
            ("x-forwarded-for", "192.0.2.7"),
            ("x-forwarded-proto", "https"),
            ("forwarded", "for=192.0.2.7"),
        ];
        assert_eq!(origin("203.0.113.1", &headers), "- - -");
        assert_eq!(origin("10.0.0.1", &headers[..2]), "192.0.2.7 https -");
        assert_eq!(origin("::ffff:10.0.0.1", &headers[..2]), "192.0.2.7 https -");
    }

    #[test]
    fn x_forwarded_from_the_right() {
        for (expected, headers) in [
            // A stranger's own header stands left of what the first trusted proxy appended.
            ("192.0.2.7 - -", &[("x-forwarded-for", "1.2.3.4, 192.0.2.7")][..]),
            ("192.0.2.7 - -", &[("x-forwarded-for", "1.2.3.4, 192.0.2.7, 10.0.0.9, 10.0.0.8")]),
            ("192.0.2.7 - -", &[("x-forwarded-for", "1.2.3.4"), ("x-forwarded-for", "192.0.2.7,10.0.0.9")]),
            ("10.0.0.7 - -", &[("x-forwarded-for", "10.0.0.7, 10.0.0.8")]),
            ("2001:db8::1 - -", &[("x-forwarded-for", "2001:db8::1, 2001:db8:ffff::9")]),
            ("192.0.2.7 - -", &[("x-forwarded-for", "192.0.2.7:4711")]),
            ("- - -", &[]),
            // Garbage ends the walk; what was established before it stays.
            ("- - - invalid", &[("x-forwarded-for", "192.0.2.7, <script>")]),
            ("10.0.0.9 - - invalid", &[("x-forwarded-for", "192.0.2.7, 300.1.1.1, 10.0.0.9")]),
            ("- - - invalid", &[("x-forwarded-for", "192.0.2.7"), ("x-forwarded-for", "\u{e4}")]),
            ("10.0.0.9 - -", &[("x-forwarded-for", "192.0.2.7, unknown, 10.0.0.9")]),
            // Scheme and host of the same hop, or the only ones there are.
            (
                "192.0.2.7 https shop.test:8443",
                &[
                    ("x-forwarded-for", "192.0.2.7, 10.0.0.9"),
                    ("x-forwarded-proto", "https, http"),
                    ("x-forwarded-host", "spoofed.test, shop.test:8443, inner.test"),
                ],
            ),
            (
                "192.0.2.7 https -",
                &[("x-forwarded-for", "192.0.2.7, 10.0.0.9"), ("x-forwarded-proto", "HTTPS")],
            ),
            ("- https -", &[("x-forwarded-proto", "http, https")]),
            ("192.0.2.7 - - invalid", &[("x-forwarded-for", "192.0.2.7"), ("x-forwarded-proto", "gopher")]),
            ("192.0.2.7 - - invalid", &[("x-forwarded-for", "192.0.2.7"), ("x-forwarded-host", "a b")]),
            (
                "192.0.2.7 - - invalid",
                &[("x-forwarded-for", "192.0.2.7"), ("x-forwarded-host", "u:p@a.test")],
            ),
        ] {
            assert_eq!(origin("10.0.0.1", headers), expected, "{headers:?}");
        }
    }

    #[test]
    fn forwarded_from_the_right() {
        for (expected, forwarded) in [
            ("192.0.2.7 https shop.test", "for=192.0.2.7;proto=https;host=shop.test"),
            ("192.0.2.7 https shop.test", "For=\"192.0.2.7:4711\" ; Proto=HTTPS;host=\"shop.test\";by=_x"),
            ("2001:db8::1 - -", "for=\"[2001:db8::1]:4711\""),
            ("2001:db8::1 - -", "for=\"[2001:db8::1]\", for=10.0.0.9"),
            ("192.0.2.7 https -", "for=1.2.3.4;proto=http, for=192.0.2.7;proto=https, for=10.0.0.9"),
            ("192.0.2.7 - -", "for=\"a,b;c\\\"\", for=192.0.2.7"),
            ("10.0.0.9 - -", "for=192.0.2.7, for=_hidden, for=10.0.0.9"),
            ("10.0.0.9 - -", "for=192.0.2.7, for=unknown, for=10.0.0.9"),
            ("10.0.0.9 - - invalid", "for=192.0.2.7, nonsense, for=10.0.0.9"),
            ("- - - invalid", "for=192.0.2.7;for=192.0.2.8"),
            ("- - - invalid", "for=\"192.0.2.7"),
            ("- http -", "proto=http"),
            ("- - -", ""),
        ] {
            // Where there is `forwarded`, the older headers are not asked.
            let headers = [("forwarded", forwarded), ("x-forwarded-for", "9.9.9.9")];
            assert_eq!(origin("10.0.0.1", &headers), expected, "{forwarded}");
        }
    }

    #[test]
    fn a_long_way_ends() {
        let mut way = vec!["192.0.2.7"];
        way.extend(["10.0.0.9"; HOPS_MAX]);
        assert_eq!(origin("10.0.0.1", &[("x-forwarded-for", &way.join(","))]), "10.0.0.9 - -");
        assert_eq!(origin("10.0.0.1", &[("x-forwarded-for", &way[1..].join(","))]), "10.0.0.9 - -");
    }
}
