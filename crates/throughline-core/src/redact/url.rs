//! Secrets in a URL: credentials before the host, and the values of parameters whose names say that they are secret, in
//! the query and in the fragment. The name stays, so that one sees that there was a value.

use std::borrow::Cow;

use super::{REDACTED, Redact, Redactor, Verdict};
use crate::octets;

/// [`Redactor::url`](super::Redactor::url) with the default rules, for what belongs to no pipeline: the `Debug` of
/// settings, warnings.
///
/// ```
/// use throughline_core::redact;
/// assert_eq!(redact::url_full("https://me:pw@host/a?token=x&b=1"), "https://REDACTED:REDACTED@host/a?token=REDACTED&b=1");
/// ```
#[must_use]
pub fn url_full(url: &str) -> Cow<'_, str> {
    Redactor::shared_default().url(url)
}

/// [`Redactor::query`](super::Redactor::query) with the default rules.
///
/// ```
/// use throughline_core::redact;
/// assert_eq!(redact::query("a=1&API-Key=x&sig=y"), "a=1&API-Key=REDACTED&sig=REDACTED");
/// ```
#[must_use]
pub fn query(query: &str) -> Cow<'_, str> {
    Redactor::shared_default().query(query)
}

/// What a text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Url,
    /// A query alone, with or without `?`.
    Query,
}

/// The text without what `rules` deny; borrowed where that is nothing.
pub(super) fn without_secrets<'a>(text: &'a str, place: Place, rules: &dyn Redact) -> Cow<'a, str> {
    let end_of_base = match place {
        Place::Url => text.find(['?', '#']).unwrap_or(text.len()),
        Place::Query => 0,
    };
    let (base, parameters) = text.split_at(end_of_base);
    let base = match rules.credentials() {
        Verdict::Keep | Verdict::Inspect => Cow::Borrowed(base),
        Verdict::Replace | Verdict::Drop => without_credentials(base),
    };
    match (base, without_values(parameters, rules)) {
        (Cow::Borrowed(_), Cow::Borrowed(_)) => Cow::Borrowed(text),
        (base, parameters) => Cow::Owned(base.into_owned() + &parameters),
    }
}

fn without_values<'a>(query: &'a str, rules: &dyn Redact) -> Cow<'a, str> {
    if !pieces(query).any(|piece| piece.begins_secret(rules)) {
        return Cow::Borrowed(query);
    }
    let mut clean = String::with_capacity(query.len());
    let mut in_secret = false;
    for piece in pieces(query) {
        let begins_secret = !in_secret && piece.begins_secret(rules);
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
    fn begins_secret(self, rules: &dyn Redact) -> bool {
        let has_nothing_to_hide = |value: &str| self.ends_value() && matches!(value, "" | REDACTED);
        let is_secret = || matches!(rules.parameter(&decoded(self.name)), Verdict::Replace | Verdict::Drop);
        self.value.is_some_and(|value| !has_nothing_to_hide(value)) && is_secret()
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
        for name in [
            "X-Amz-Signature",
            "X-Amz-Credential",
            "X-Amz-Security-Token",
            "X-Goog-Signature",
            "sig",
            "AWSAccessKeyId",
            "Signature",
        ] {
            assert_eq!(query(&format!("a=1&{name}=x&b=2")), format!("a=1&{name}=REDACTED&b=2"));
        }
        for other in ["Sig=x", "SIG=x", "x-amz-signatures=x", "sigs=x"] {
            assert_eq!(query(other), other);
        }
    }

    #[test]
    fn names_of_ours_match_in_any_form() {
        for name in [
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
        ] {
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
