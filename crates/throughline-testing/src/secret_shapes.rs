//! What secrets look like, wherever they stand.

use std::borrow::Cow;

use throughline_core::redact;

/// A text that begins like this, and goes on long enough with what such tokens are made of, is a secret.
struct Shape {
    what: &'static str,
    prefix: &'static str,
    /// How many characters of a token must follow at least; what is shorter is a word about tokens.
    len_min: usize,
}

const SHAPES: [Shape; 9] = [
    Shape { what: "a bearer token", prefix: "Bearer ", len_min: 8 },
    Shape { what: "credentials of a user", prefix: "Basic ", len_min: 8 },
    Shape { what: "a key of AWS", prefix: "AKIA", len_min: 16 },
    Shape { what: "a token of GitHub", prefix: "ghp_", len_min: 30 },
    Shape { what: "a token of GitHub", prefix: "github_pat_", len_min: 30 },
    Shape { what: "a token of GitLab", prefix: "glpat-", len_min: 20 },
    Shape { what: "a token of Slack", prefix: "xoxb-", len_min: 20 },
    Shape { what: "a key of Google", prefix: "AIza", len_min: 35 },
    Shape { what: "a key of Stripe", prefix: "sk_live_", len_min: 16 },
];

/// The first thing in `text` that looks like a secret: what it is, and from where.
pub(crate) fn shape_of_secret(text: &str) -> Option<(&'static str, &str)> {
    SHAPES
        .iter()
        .find_map(|shape| Some((shape.what, token(text, shape)?)))
        .or_else(|| Some(("a signed token", json_web_token(text)?)))
        .or_else(|| Some(("a private key", private_key(text)?)))
        .or_else(|| urls(text).find(|url| is_unredacted(url)).map(|url| ("a URL with a secret in it", url)))
}

fn token<'a>(text: &'a str, shape: &Shape) -> Option<&'a str> {
    text.match_indices(shape.prefix)
        .filter(|(at, _)| !text.get(..*at).is_some_and(|before| before.ends_with(is_part_of_token)))
        .filter_map(|(at, prefix)| text.get(at + prefix.len()..))
        .find(|rest| token_len(rest) >= shape.len_min && !rest.starts_with(redact::REDACTED))
}

/// Three parts with dots between them, of which the first two are JSON in base64.
fn json_web_token(text: &str) -> Option<&str> {
    text.match_indices("eyJ").filter_map(|(at, _)| text.get(at..)).find(|rest| {
        let token = rest.get(..token_len(rest)).unwrap_or_default();
        let mut parts = token.split('.').skip(1);
        parts.next().is_some_and(|payload| payload.starts_with("eyJ")) && parts.next().is_some()
    })
}

fn private_key(text: &str) -> Option<&str> {
    let from = text.get(text.find("-----BEGIN ")?..)?;
    from.contains("PRIVATE KEY-----").then_some(from)
}

fn urls(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| c.is_whitespace() || "\"'<>,".contains(c)).filter(|word| word.contains("://"))
}

fn is_unredacted(url: &str) -> bool {
    matches!(redact::url_full(url), Cow::Owned(clean) if clean != url)
}

fn token_len(text: &str) -> usize {
    text.find(|c| !is_part_of_token(c)).unwrap_or(text.len())
}

fn is_part_of_token(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-._~+/=".contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_of_secrets() {
        let jwt = format!("token eyJ{}.eyJ{}.{}", "a".repeat(10), "b".repeat(10), "c".repeat(10));
        for (text, expected) in [
            ("Authorization: Bearer abcdefgh12345", Some("a bearer token")),
            ("Bearer REDACTED", None),
            ("a Bearer token is missing", None),
            ("Basic dXNlcjpodW50ZXIy", Some("credentials of a user")),
            ("Basic types", None),
            ("key AKIAIOSFODNN7EXAMPLE", Some("a key of AWS")),
            ("AKIA", None),
            (jwt.as_str(), Some("a signed token")),
            ("eyJhbGciOiJIUzI1NiJ9", None),
            ("-----BEGIN RSA PRIVATE KEY-----\nMII", Some("a private key")),
            ("-----BEGIN CERTIFICATE-----\nMII", None),
            ("GET http://me:pw@host/", Some("a URL with a secret in it")),
            ("GET http://REDACTED:REDACTED@host/?token=REDACTED", None),
            ("http://host/?token=x", Some("a URL with a secret in it")),
            ("http://host/?page=2", None),
        ] {
            assert_eq!(shape_of_secret(text).map(|(what, _)| what), expected, "{text}");
        }
    }
}
