//! Keeping secrets out of telemetry.
//!
//! What is taken out of a URL: credentials before the host, and the values of query parameters whose names say that they
//! are secret. The name stays, so that one sees that there was one.

use std::borrow::Cow;

/// What stands in place of a secret.
pub const REDACTED: &str = "REDACTED";

/// Query parameters that the semantic conventions name; they match to the letter.
const STANDARD: [&str; 7] = [
    "X-Amz-Signature",
    "X-Amz-Credential",
    "X-Amz-Security-Token",
    "X-Goog-Signature",
    "sig",
    "AWSAccessKeyId",
    "Signature",
];

/// Names that mean a secret wherever they stand, in any case; `-` and `_` are the same.
const DENIED: [&str; 24] = [
    "access_key",
    "access_token",
    "api_key",
    "apikey",
    "auth",
    "auth_token",
    "authorization",
    "client_secret",
    "code",
    "credential",
    "id_token",
    "jwt",
    "key",
    "passwd",
    "password",
    "private_key",
    "pwd",
    "refresh_token",
    "secret",
    "session",
    "session_id",
    "sessionid",
    "signature",
    "token",
];

/// A whole URL without its credentials and without the secrets of its query.
///
/// ```
/// use throughline_core::redact;
/// assert_eq!(redact::url_full("https://me:pw@host/a?token=x&b=1"), "https://REDACTED:REDACTED@host/a?token=REDACTED&b=1");
/// ```
#[must_use]
pub fn url_full(url: &str) -> Cow<'_, str> {
    let (before_fragment, fragment) = split_at(url, '#');
    let (before_query, query) = split_at(before_fragment, '?');
    let base = without_credentials(before_query);
    let clean = query.strip_prefix('?').map(self::query);
    match (&base, &clean) {
        (Cow::Borrowed(_), None | Some(Cow::Borrowed(_))) => Cow::Borrowed(url),
        _ => {
            let query = clean.map(|query| format!("?{query}")).unwrap_or_default();
            Cow::Owned(format!("{base}{query}{fragment}"))
        }
    }
}

/// A query string, without `?`, without the values of secret parameters.
///
/// ```
/// use throughline_core::redact;
/// assert_eq!(redact::query("a=1&API-Key=x&sig=y"), "a=1&API-Key=REDACTED&sig=REDACTED");
/// ```
#[must_use]
pub fn query(query: &str) -> Cow<'_, str> {
    let secret = |parameter: &str| {
        parameter
            .split_once('=')
            .is_some_and(|(name, value)| !value.is_empty() && is_secret(name))
    };
    if !query.split('&').any(secret) {
        return Cow::Borrowed(query);
    }
    let clean = query.split('&').map(|parameter| match parameter.split_once('=') {
        Some((name, _)) if secret(parameter) => Cow::Owned(format!("{name}={REDACTED}")),
        _ => Cow::Borrowed(parameter),
    });
    Cow::Owned(clean.collect::<Vec<_>>().join("&"))
}

/// Whether a parameter of this name, percent-encoded or not, holds a secret.
#[must_use]
pub fn is_secret(name: &str) -> bool {
    let name = decoded(name);
    if STANDARD.contains(&&*name) {
        return true;
    }
    let name = name.to_ascii_lowercase().replace('-', "_");
    DENIED.contains(&name.as_str())
}

fn decoded(name: &str) -> Cow<'_, str> {
    if !name.contains(['%', '+']) {
        return Cow::Borrowed(name);
    }
    let mut bytes = Vec::with_capacity(name.len());
    let mut rest = name.as_bytes();
    while let Some((byte, after)) = crate::octets::percent_decoded(rest) {
        bytes.push(byte);
        rest = after;
    }
    Cow::Owned(String::from_utf8_lossy(&bytes).into_owned())
}

/// Everything between `//` and the last `@` of the authority.
fn without_credentials(url: &str) -> Cow<'_, str> {
    let Some((scheme, rest)) = url.split_once("//") else {
        return Cow::Borrowed(url);
    };
    let (authority, path) = split_at(rest, '/');
    match authority.rsplit_once('@') {
        Some((_, host)) => Cow::Owned(format!("{scheme}//{REDACTED}:{REDACTED}@{host}{path}")),
        None => Cow::Borrowed(url),
    }
}

/// The text before a character, and the rest from it on.
fn split_at(text: &str, at: char) -> (&str, &str) {
    text.split_at(text.find(at).unwrap_or(text.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_lose_their_secrets_and_nothing_else() {
        for (url, expected) in [
            ("http://host/a/b?c=d#e", "http://host/a/b?c=d#e"),
            ("http://user@host/", "http://REDACTED:REDACTED@host/"),
            ("http://user:p@ss@host:8080", "http://REDACTED:REDACTED@host:8080"),
            ("http://host/@path?q=a@b", "http://host/@path?q=a@b"),
            ("http://host/?PASSWORD=x#f", "http://host/?PASSWORD=REDACTED#f"),
            (
                "http://host/?sig=x&Sig=y&SIG",
                "http://host/?sig=REDACTED&Sig=y&SIG",
            ),
            (
                "http://host/?access%5Ftoken=x",
                "http://host/?access%5Ftoken=REDACTED",
            ),
            ("http://host/?token=", "http://host/?token="),
            ("/relative?api-key=x", "/relative?api-key=REDACTED"),
        ] {
            assert_eq!(url_full(url), expected);
        }
    }

    #[test]
    fn nothing_to_hide_is_borrowed() {
        assert!(matches!(url_full("http://host/a?b=c"), Cow::Borrowed(_)));
        assert!(matches!(query("a=b&c"), Cow::Borrowed(_)));
    }
}
