//! Names that say that what they name is secret.
//!
//! A name is taken apart into words, at everything that is not a letter and where `camelCase` begins a new one, and the
//! words are read without punctuation and in lower case: `DB_PASSWORD`, `dbPassword`, `db.password` and `db-password[0]`
//! are one name. Then:
//!
//! - A [`GLUED`] phrase denies the name wherever it stands, also at the end of a longer word: `userpassword`.
//! - A [`SEPARATE`] phrase does where it begins with a word: `proxy-authorization`, not `preauthorization`.
//! - A [`FINAL`] phrase does where it is the end of the name, too: `user.session`, not `session_count`.
//! - A name that ends with a [`HARMLESS`] word says something *about* a secret: `token_count`, `password.expires_at`.
//!
//! Plurals that are numbers of things more often than secrets are not listed: `tokens_used`, `max_tokens`. A word that
//! merely begins like a phrase is another word: `tokenizer`, `keyword`, `secretary`.

/// Deny wherever they stand.
const GLUED: &[&str] = &[
    "accesskey",
    "apikey",
    "cookie",
    "cookies",
    "credential",
    "credentials",
    "passphrase",
    "passwd",
    "password",
    "passwords",
    "privatekey",
    "secret",
    "secretkey",
    "secrets",
    "sessid",
    "sessionid",
    "token",
];

/// Deny where they begin with a word.
const SEPARATE: &[&str] = &[
    "authorization",
    "bearer",
    "cardnumber",
    "creditcard",
    "encryptionkey",
    "jwt",
    "pwd",
    "sessionkey",
    "signingkey",
    "subscriptionkey",
];

/// Deny at the end of a name.
const FINAL: &[&str] = &["cvc", "cvv", "otp", "session", "sid", "ssn"];

/// Words at the end of a name that make it a remark about a secret.
const HARMLESS: &[&str] = &[
    "age", "arn", "at", "count", "duration", "enabled", "expired", "expires", "expiry", "kind", "len",
    "length", "limit", "ms", "name", "policy", "present", "purpose", "required", "result", "seconds", "size",
    "status", "ttl", "type", "usage", "used", "valid", "verified", "version",
];

/// Whether the default rules deny a field, an attribute or a header of this name.
///
/// ```
/// use throughline_core::redact;
/// assert!(redact::is_denied("http.request.header.cookie") && !redact::is_denied("http.route"));
/// ```
#[must_use]
pub fn is_denied(name: &str) -> bool {
    let mut words = Words::new(name);
    let (mut denied, mut last) = (Denied::No, 0);
    while let Some(word) = words.next() {
        let ends_with = |list: &[Phrase], glued| list.iter().any(|phrase| words.ends_with(*phrase, glued));
        denied = match denied {
            Denied::Always => Denied::Always,
            _ if ends_with(&GLUED_PHRASES, true) || ends_with(&SEPARATE_PHRASES, false) => Denied::Always,
            _ if ends_with(&FINAL_PHRASES, false) => Denied::IfFinal,
            _ => Denied::No,
        };
        last = word;
    }
    match denied {
        Denied::No => false,
        Denied::IfFinal => true,
        Denied::Always => !HARMLESS_WORDS.iter().any(|harmless| harmless.letters == last),
    }
}

/// Whether two names are the same but for case and punctuation.
pub(super) fn is_same(name: &str, other: &str) -> bool {
    let letters =
        |text| str::bytes(text).filter(u8::is_ascii_alphanumeric).map(|byte| byte.to_ascii_lowercase());
    letters(name).eq(letters(other))
}

/// Whether the words of `phrase` stand one after the other in `name`.
pub(super) fn has_phrase(name: &str, phrase: &str) -> bool {
    let (name, phrase) = (words_of(name), words_of(phrase));
    !phrase.is_empty() && name.windows(phrase.len()).any(|part| part == phrase)
}

fn words_of(name: &str) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    let mut before = Letter::Other;
    for (place, character) in name.char_indices() {
        if character.is_alphanumeric() {
            let now = Letter::of(character);
            if before == Letter::Other || begins_word(before, now, name.get(place + 1..)) {
                all.push(String::new());
            }
            if let Some(word) = all.last_mut() {
                word.extend(character.to_lowercase());
            }
            before = now;
        } else {
            before = Letter::Other;
        }
    }
    all
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Denied {
    No,
    IfFinal,
    Always,
}

/// Up to sixteen letters in one number, the last in the lowest byte.
#[derive(Clone, Copy)]
struct Phrase {
    letters: u128,
    len: u32,
}

impl Phrase {
    const fn new(text: &str) -> Self {
        let (mut letters, mut rest) = (0, text.as_bytes());
        assert!(rest.len() <= 16, "a phrase must fit into a number");
        while let [first, others @ ..] = rest {
            letters = letters << 8 | *first as u128;
            rest = others;
        }
        Self { letters, len: text.len() as u32 }
    }

    #[expect(
        clippy::indexing_slicing,
        reason = "at compile time, where it would be an error of the compiler"
    )]
    const fn list<const N: usize>(texts: &[&str]) -> [Self; N] {
        let (mut list, mut place, mut rest) = ([Self { letters: 0, len: 0 }; N], 0, texts);
        while let [first, others @ ..] = rest {
            list[place] = Self::new(first);
            place += 1;
            rest = others;
        }
        list
    }
}

const GLUED_PHRASES: [Phrase; GLUED.len()] = Phrase::list(GLUED);
const SEPARATE_PHRASES: [Phrase; SEPARATE.len()] = Phrase::list(SEPARATE);
const FINAL_PHRASES: [Phrase; FINAL.len()] = Phrase::list(FINAL);
const HARMLESS_WORDS: [Phrase; HARMLESS.len()] = Phrase::list(HARMLESS);

/// Reads a name word by word, of any length, and remembers its last sixteen letters and where words began among them.
struct Words<'a> {
    rest: &'a [u8],
    before: Letter,
    letters: u128,
    /// A bit for each letter, the last one lowest: whether a word begins with it.
    starts: u16,
}

impl<'a> Words<'a> {
    const fn new(name: &'a str) -> Self {
        Self { rest: name.as_bytes(), before: Letter::Other, letters: 0, starts: 0 }
    }

    /// Goes to the end of the next word and returns its letters; of a long one, the last sixteen.
    fn next(&mut self) -> Option<u128> {
        let mut word = None;
        while let Some((first, after)) = self.rest.split_first() {
            let now = Letter::of(char::from(*first));
            if now == Letter::Other {
                self.before = now;
                self.rest = after;
                if word.is_some() {
                    return word;
                }
                continue;
            }
            let begins = self.before == Letter::Other
                || begins_word(self.before, now, str::from_utf8(after.get(..1).unwrap_or_default()).ok());
            if begins && word.is_some() {
                self.before = Letter::Other;
                return word;
            }
            let letter = u128::from(first.to_ascii_lowercase());
            word = Some(word.unwrap_or(0) << 8 | letter);
            self.letters = self.letters << 8 | letter;
            self.starts = self.starts << 1 | u16::from(begins);
            self.before = now;
            self.rest = after;
        }
        word
    }

    fn ends_with(&self, phrase: Phrase, glued: bool) -> bool {
        let mask = u128::MAX >> (128 - 8 * phrase.len);
        self.letters & mask == phrase.letters && (glued || self.starts >> (phrase.len - 1) & 1 == 1)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Letter {
    Lower,
    Upper,
    Other,
}

impl Letter {
    const fn of(character: char) -> Self {
        match character {
            'a'..='z' => Self::Lower,
            'A'..='Z' => Self::Upper,
            _ => Self::Other,
        }
    }
}

/// `aB` begins a word, and so does the `B` of `ABc`.
fn begins_word(before: Letter, now: Letter, after: Option<&str>) -> bool {
    let next = after.and_then(|after| after.chars().next()).map_or(Letter::Other, Letter::of);
    now == Letter::Upper && (before == Letter::Lower || next == Letter::Lower)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_known_in_any_spelling() {
        for name in [
            "password",
            "Password",
            "PASSWORD",
            "pAsSwOrD",
            "passwd",
            "pwd",
            "user.password",
            "db_password",
            "dbPassword",
            "DBPassword",
            "PGPASSWORD",
            "password2",
            "new-password[0]",
            "password_hash",
            "secret",
            "client_secret",
            "clientSecret",
            "CLIENT_SECRET",
            "aws.secret.access.key",
            "token",
            "accessToken",
            "access_token",
            "ACCESSTOKEN",
            "id_token",
            "csrftoken",
            "x-auth-token",
            "next_page_token",
            "apikey",
            "api_key",
            "api-key",
            "APIKey",
            "X-API-Key",
            "x-api-key",
            "xApiKey",
            "authorization",
            "Authorization",
            "proxy-authorization",
            "http.request.header.authorization",
            "http.request.header.set_cookie",
            "cookie",
            "set-cookie",
            "Set-Cookie",
            "cookies",
            "private_key",
            "privateKey",
            "ssh_private_key",
            "access_key",
            "AWSAccessKeyId",
            "session",
            "session_id",
            "sessionId",
            "SESSIONID",
            "JSESSIONID",
            "PHPSESSID",
            "user.session",
            "sid",
            "connect.sid",
            "credit_card",
            "creditCard",
            "credit_card_number",
            "card.number",
            "cvv",
            "ssn",
            "jwt",
            "bearer",
            "credentials",
            "otp",
            "PassPhrase",
            "r#token",
            "\u{e9}_password",
            "signing_key",
            "session.id",
        ] {
            assert!(is_denied(name), "{name}");
        }
    }

    #[test]
    fn what_only_looks_alike_is_shown() {
        for name in [
            "",
            "message",
            "tokenizer",
            "tokens",
            "tokens_used",
            "max_tokens",
            "token_count",
            "tokenCount",
            "token.type",
            "token_expires_at",
            "tokenize",
            "detokenized",
            "secretary",
            "secret_name",
            "password_policy",
            "password.length",
            "passenger",
            "pass",
            "compass",
            "key",
            "cache_key",
            "sort_key",
            "keyword",
            "author",
            "authority",
            "auth",
            "authenticated",
            "session_count",
            "sessions",
            "session.duration",
            "process.session_leader.pid",
            "inside",
            "side",
            "code",
            "exit_code",
            "signature",
            "preauthorization",
            "cookie_policy",
            "order_id",
            "http.request.method",
            "card",
            "discard",
            "bearers",
            "passwordless",
            "\u{43f}\u{430}\u{440}\u{43e}\u{43b}\u{44c}",
        ] {
            assert!(!is_denied(name), "{name}");
        }
    }

    #[test]
    fn a_name_of_any_length_is_read_to_its_end() {
        let long = "a.".repeat(1 << 20);
        assert!(is_denied(&format!("{long}password")));
        assert!(is_denied(&format!("password.{long}")));
        assert!(!is_denied(&long));
        assert!(!is_denied(&format!("password.{long}count")));
    }

    #[test]
    fn phrases_of_users_match_by_words() {
        for (name, phrase, expected) in [
            ("customer.iban", "iban", true),
            ("customerIban", "IBAN", true),
            ("tax_number_de", "tax-number", true),
            ("taxNumber", "tax_number", true),
            ("ibanez", "iban", false),
            ("tax.other.number", "tax_number", false),
            ("anything", "", false),
            ("stra\u{df}e", "Stra\u{df}e", true),
        ] {
            assert_eq!(has_phrase(name, phrase), expected, "{name} {phrase}");
        }
        assert!(is_same("Session.ID", "session_id") && !is_same("session.id", "session.ids"));
    }
}
