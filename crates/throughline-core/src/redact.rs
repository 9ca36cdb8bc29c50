//! Keeping secrets out of telemetry.
//!
//! What is taken out of a URL: credentials before the host, and the values of parameters whose names say that they are
//! secret, in the query and in the fragment. The name stays, so that one sees that there was a value.
//!
//! Two lists decide. The first is that of the semantic conventions for HTTP, which matches to the letter. The second is
//! ours: what OAuth, sessions, API keys and plain passwords are called. It matches in any case, with or without `-` and
//! `_`, percent-encoded or not, and as a part of a structured name (`user[password]`, `filter.token`).

use std::borrow::Cow;

use crate::octets;

/// What stands in place of a secret.
pub const REDACTED: &str = "REDACTED";

/// From the conventions 1.44.0, with the last two from the version after them.
const STANDARD: [&str; 7] = [
    "X-Amz-Signature",
    "X-Amz-Credential",
    "X-Amz-Security-Token",
    "X-Goog-Signature",
    "sig",
    "AWSAccessKeyId",
    "Signature",
];

/// Ours, in lower case and without punctuation. `code` is OAuth's authorization code.
const DENIED: [&str; 35] = [
    "accesskey",
    "accesstoken",
    "apikey",
    "apitoken",
    "assertion",
    "auth",
    "authorization",
    "authtoken",
    "bearer",
    "clientassertion",
    "clientsecret",
    "code",
    "credential",
    "credentials",
    "idtoken",
    "jwt",
    "key",
    "otp",
    "pass",
    "passphrase",
    "passwd",
    "password",
    "privatekey",
    "pwd",
    "refreshtoken",
    "samlresponse",
    "secret",
    "secretkey",
    "session",
    "sessionid",
    "sessiontoken",
    "sid",
    "signature",
    "token",
    "xapikey",
];

/// A whole URL without its credentials and without the secrets of its query and its fragment.
///
/// ```
/// use throughline_core::redact;
/// assert_eq!(redact::url_full("https://me:pw@host/a?token=x&b=1"), "https://REDACTED:REDACTED@host/a?token=REDACTED&b=1");
/// ```
#[must_use]
pub fn url_full(url: &str) -> Cow<'_, str> {
    let (base, parameters) = url.split_at(url.find(['?', '#']).unwrap_or(url.len()));
    match (without_credentials(base), query(parameters)) {
        (Cow::Borrowed(_), Cow::Borrowed(_)) => Cow::Borrowed(url),
        (base, parameters) => Cow::Owned(base.into_owned() + &parameters),
    }
}

/// A query string, with or without `?`, without the values of secret parameters.
///
/// ```
/// use throughline_core::redact;
/// assert_eq!(redact::query("a=1&API-Key=x&sig=y"), "a=1&API-Key=REDACTED&sig=REDACTED");
/// ```
#[must_use]
pub fn query(query: &str) -> Cow<'_, str> {
    if !pieces(query).any(Piece::begins_secret) {
        return Cow::Borrowed(query);
    }
    let mut clean = String::with_capacity(query.len());
    let mut in_secret = false;
    for piece in pieces(query) {
        let begins_secret = !in_secret && piece.begins_secret();
        if begins_secret {
            clean.push_str(piece.name);
            clean.push('=');
            clean.push_str(REDACTED);
        }
        in_secret |= begins_secret;
        if !in_secret {
            clean.push_str(piece.text);
        } else if piece.ends_value() {
            clean.push_str(piece.separator);
            in_secret = false;
        }
    }
    Cow::Owned(clean)
}

/// Whether a parameter of this name, percent-encoded or not, holds a secret.
#[must_use]
pub fn is_secret(name: &str) -> bool {
    let name = decoded(name);
    STANDARD.contains(&&*name) || name.split(['[', ']', '.']).any(is_denied)
}

fn is_denied(name: &str) -> bool {
    let mut bare = [0; DENIED_LEN_MAX];
    let mut len = 0;
    for byte in name.bytes().filter(u8::is_ascii_alphanumeric) {
        let Some(place) = bare.get_mut(len) else {
            return false;
        };
        *place = byte.to_ascii_lowercase();
        len += 1;
    }
    let bare = bare.get(..len).unwrap_or_default();
    DENIED.iter().any(|denied| denied.as_bytes() == bare)
}

/// The length of the longest name in [`DENIED`]: whatever is longer is not in it.
const DENIED_LEN_MAX: usize = {
    let (mut max, mut rest) = (0, DENIED.as_slice());
    while let [name, others @ ..] = rest {
        if name.len() > max {
            max = name.len();
        }
        rest = others;
    }
    max
};

/// A stretch of a query that may be a parameter, with the separator behind it.
#[derive(Clone, Copy)]
struct Piece<'a> {
    text: &'a str,
    name: &'a str,
    value: Option<&'a str>,
    separator: &'a str,
}

/// Every place where somebody's parser might begin a new name. A secret ends at `&` and `#` only, so that neither
/// `a=1;token=x` nor `token=x;y` shows a part of one.
fn pieces(query: &str) -> impl Iterator<Item = Piece<'_>> {
    query.split_inclusive(['&', ';', '?', '#']).map(|text| {
        let parameter = text.trim_end_matches(['&', ';', '?', '#']);
        let separator = text.get(parameter.len()..).unwrap_or_default();
        match parameter.split_once('=') {
            Some((name, value)) => Piece { text, name, value: Some(value), separator },
            None => Piece { text, name: parameter, value: None, separator },
        }
    })
}

impl Piece<'_> {
    fn begins_secret(self) -> bool {
        let has_nothing_to_hide = |value: &str| self.ends_value() && matches!(value, "" | REDACTED);
        self.value.is_some_and(|value| !has_nothing_to_hide(value)) && is_secret(self.name)
    }

    fn ends_value(self) -> bool {
        matches!(self.separator, "" | "&" | "#")
    }
}

fn decoded(name: &str) -> Cow<'_, str> {
    if !name.contains('%') {
        return Cow::Borrowed(name);
    }
    let mut bytes = Vec::with_capacity(name.len());
    let mut rest = name.as_bytes();
    while let Some((byte, after)) = octets::percent_decoded(rest) {
        bytes.push(byte);
        rest = after;
    }
    Cow::Owned(String::from_utf8_lossy(&bytes).into_owned())
}

/// Replaces everything between the scheme and the last `@` before the path.
///
/// Lenient where URL parsers differ: backslashes count as slashes, and any number of them may follow the scheme. A
/// reference that begins with one slash is a path and has no authority.
fn without_credentials(base: &str) -> Cow<'_, str> {
    let is_slash = |character| matches!(character, '/' | '\\');
    let after_scheme =
        base.find(':').filter(|colon| base.get(colon + 1..).is_some_and(|rest| rest.starts_with(is_slash)));
    let is_path = after_scheme.is_none() && base.starts_with(is_slash) && !base.starts_with("//");
    if is_path {
        return Cow::Borrowed(base);
    }
    let rest = base.get(after_scheme.map_or(0, |colon| colon + 1)..).unwrap_or_default();
    let authority_and_path = rest.trim_start_matches(is_slash);
    let authority = authority_and_path.split('/').next().unwrap_or_default();
    match authority.rsplit_once('@') {
        Some((credentials, _)) if credentials != CREDENTIALS => {
            let (before, from_authority) = base.split_at(base.len() - authority_and_path.len());
            let after = from_authority.get(credentials.len()..).unwrap_or_default();
            Cow::Owned([before, CREDENTIALS, after].concat())
        }
        _ => Cow::Borrowed(base),
    }
}

/// What the conventions put in place of a user and a password.
const CREDENTIALS: &str = "REDACTED:REDACTED";

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn credentials_of_any_form_go() {
        for (url, expected) in [
            ("http://user@host/", "http://REDACTED:REDACTED@host/"),
            ("http://user:pw@host:8080", "http://REDACTED:REDACTED@host:8080"),
            ("http://:pw@host?q", "http://REDACTED:REDACTED@host?q"),
            ("http://user:@host#f", "http://REDACTED:REDACTED@host#f"),
            ("http://@host/", "http://REDACTED:REDACTED@host/"),
            ("http://user:p@ss@[::1]:80/", "http://REDACTED:REDACTED@[::1]:80/"),
            ("http://user:p%40ss@host/a@b", "http://REDACTED:REDACTED@host/a@b"),
            ("http://host\\@evil/", "http://REDACTED:REDACTED@evil/"),
            ("http:/user:pw@host/", "http:/REDACTED:REDACTED@host/"),
            ("http:\\\\user:pw@host/", "http:\\\\REDACTED:REDACTED@host/"),
            ("//user:pw@host/", "//REDACTED:REDACTED@host/"),
            ("user:pw@host:443", "REDACTED:REDACTED@host:443"),
            ("amqp://guest:guest@broker/%2f", "amqp://REDACTED:REDACTED@broker/%2f"),
            ("postgres://caf\u{e9}:\u{1f511}@db/x", "postgres://REDACTED:REDACTED@db/x"),
        ] {
            assert_eq!(url_full(url), expected);
        }
    }

    #[test]
    fn names_of_the_conventions_match_to_the_letter() {
        for name in STANDARD {
            assert_eq!(query(&format!("a=1&{name}=x&b=2")), format!("a=1&{name}=REDACTED&b=2"));
        }
        for other in ["Sig=x", "SIG=x", "x-amz-credential=x", "awsaccesskeyid=x"] {
            assert_eq!(query(other), other);
        }
    }

    #[test]
    fn names_of_ours_match_in_any_form() {
        for name in DENIED {
            assert_eq!(query(&format!("{name}=x")), format!("{name}=REDACTED"));
            assert_eq!(
                query(&format!("{}=x", name.to_uppercase())),
                format!("{}=REDACTED", name.to_uppercase())
            );
        }
        for name in [
            "access_token",
            "Access-Token",
            "accessToken",
            "access%5Ftoken",
            "%74oken",
            "x-api-key",
            "user[password]",
            "user%5Bpassword%5D",
            "filter.token",
            "token[]",
            "SAMLResponse",
        ] {
            assert_eq!(query(&format!("{name}=x")), format!("{name}=REDACTED"));
        }
        for name in ["tokens", "keyword", "author", "sort_key_by", "passenger", "zipcode", "", "%"] {
            assert_eq!(query(&format!("{name}=x")), format!("{name}=x"));
        }
    }

    #[test]
    fn a_secret_goes_whole_wherever_it_stands() {
        for (url, expected) in [
            ("http://h/?token=a=b==&c=d", "http://h/?token=REDACTED&c=d"),
            ("http://h/?token=x;y?z&c=d", "http://h/?token=REDACTED&c=d"),
            ("http://h/?a=1;token=x;b=2#f", "http://h/?a=1;token=REDACTED#f"),
            ("http://h/?a=1?token=x", "http://h/?a=1?token=REDACTED"),
            ("http://h/?token=;x", "http://h/?token=REDACTED"),
            ("http://h/?token=&token&token=x", "http://h/?token=&token&token=REDACTED"),
            ("http://h/#access_token=x&state=1", "http://h/#access_token=REDACTED&state=1"),
            ("http://h/#/page?token=x", "http://h/#/page?token=REDACTED"),
            ("/path?pwd=\u{1f511}", "/path?pwd=REDACTED"),
            ("?pwd=x", "?pwd=REDACTED"),
        ] {
            assert_eq!(url_full(url), expected);
        }
    }

    #[test]
    fn nothing_to_hide_is_borrowed() {
        for url in [
            "",
            "/",
            "*",
            "http://host",
            "http://host/a/b?c=d;e=f&g#h",
            "http://host/@path?q=a@b",
            "/users/me@host",
            "/a//b@c",
            "https://REDACTED:REDACTED@host/?token=REDACTED&a=b",
            "http://h/?token",
            "http://h/?&&==;;?",
        ] {
            assert_eq!(url_full(url), url);
            assert!(matches!(url_full(url), Cow::Borrowed(_)), "{url}");
        }
    }

    #[test]
    fn a_megabyte_takes_one_pass() {
        for filler in ["token=x&", "a;", "=", "-", "%74", "@", "?#"] {
            let long = filler.repeat((1 << 20) / filler.len());
            assert!(!query(&long).contains("=x"));
            assert!(!url_full(&format!("http://h/?{long}")).contains("=x"));
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic_and_twice_is_once(
            url in "(http:)?[/\\\\]{0,3}[a-c:@/?#&;=%\u{e9}]{0,12}[?#]?((token|sig|a)[=&;?#x]{1,3}){0,5}",
        ) {
            let once = url_full(&url).into_owned();
            prop_assert_eq!(url_full(&once), once.as_str());
        }

        #[test]
        fn a_secret_is_never_left(before in "[a-c&;?=]{0,8}[&?]", after in "[a-c;?=/]{0,8}") {
            let clean = query(&format!("{before}token=hidden{after}")).into_owned();
            prop_assert!(!clean.contains("hidden"), "{}", clean);
        }

        #[test]
        fn credentials_are_never_left(
            user in "[a-z0-9%.!:@]{0,10}", path in "(/[a-z@]{0,6})?",
        ) {
            let clean = url_full(&format!("https://hidden{user}@host{path}")).into_owned();
            prop_assert_eq!(clean, format!("https://REDACTED:REDACTED@host{path}"));
        }
    }
}
