//! The default rules, and how to change them.

use std::borrow::Cow;

use super::{Redact, SecretValues, Verdict, name};

/// Denies what is commonly called a secret.
///
/// **Fields, attributes, headers, baggage members** are denied by the words of their names, in any case and with any
/// punctuation: passwords and passphrases, secrets, tokens and JWTs, API, access, private and other keys, credentials,
/// authorization, cookies, sessions and their ids, card numbers and their check values, one-time passwords. So
/// `db_password`, `user.accessToken` and `X-API-KEY` are; what only looks alike (`tokenizer`, `tokens_used`, `cache_key`)
/// or says something about a secret (`token_count`, `password_policy`) is not.
///
/// In doubt a value is hidden, so that a harmless one may be, too: `next_page_token`, or the conventions' `session.id`.
/// [`allow`](Self::allow) shows it.
///
/// **Parameters of a query** are denied by the same names; by those of the semantic conventions, to the letter; and, where
/// it is the whole name, by what OAuth and others call secrets there: `code`, `key`, `auth`, `pass`, `signature`, …
///
/// ```
/// use throughline_core::redact::{Redactor, Rules, Verdict};
///
/// let redactor = Redactor::new(Rules::new().deny("iban").allow("session.id"));
/// assert_eq!(redactor.judge("payer_iban"), Verdict::Replace);
/// assert_eq!(redactor.judge("session.id"), Verdict::Keep);
/// ```
#[derive(Clone, Debug)]
#[must_use = "rules do nothing until a `Redactor` is made of them"]
pub struct Rules {
    deny: Vec<String>,
    allow: Vec<String>,
    denied: Verdict,
    parameters: Vec<String>,
    values: Option<SecretValues>,
}

/// The conventions' list, in 1.44.0, with the last two from the version after it. It matches to the letter.
const STANDARD_PARAMETERS: [&str; 7] = [
    "X-Amz-Signature",
    "X-Amz-Credential",
    "X-Amz-Security-Token",
    "X-Goog-Signature",
    "sig",
    "AWSAccessKeyId",
    "Signature",
];

/// Secrets in a query, where they are the whole name; elsewhere, these words mean many things. `code` is OAuth's
/// authorization code.
const PARAMETERS: [&str; 8] =
    ["assertion", "auth", "clientassertion", "code", "key", "pass", "samlresponse", "signature"];

impl Default for Rules {
    fn default() -> Self {
        Self {
            deny: Vec::new(),
            allow: Vec::new(),
            denied: Verdict::Replace,
            parameters: STANDARD_PARAMETERS.map(str::to_owned).to_vec(),
            values: None,
        }
    }
}

impl Rules {
    /// The default lists.
    pub fn new() -> Self {
        Self::default()
    }

    /// Denies names with these words, too, one after the other: `tax number` denies `customer.taxNumber`.
    pub fn deny(mut self, words: impl Into<String>) -> Self {
        self.deny.push(words.into());
        self
    }

    /// Shows values with this name, whatever denies it. It is the whole name, in any case and with any punctuation.
    pub fn allow(mut self, name: impl Into<String>) -> Self {
        self.allow.push(name.into());
        self
    }

    /// What becomes of a denied value; [`Verdict::Replace`] unless set.
    pub const fn denied(mut self, verdict: Verdict) -> Self {
        self.denied = verdict;
        self
    }

    /// Replaces the list of the semantic conventions, which matches parameters of a query to the letter.
    pub fn parameters<N: Into<String>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.parameters = names.into_iter().map(Into::into).collect();
        self
    }

    /// Looks into texts, too, for secrets that can be told by their form. Without it, none is looked into.
    pub const fn values(mut self, values: SecretValues) -> Self {
        self.values = Some(values);
        self
    }

    fn is_allowed(&self, name: &str) -> bool {
        self.allow.iter().any(|allowed| name::is_same(name, allowed))
    }

    fn is_denied(&self, name: &str) -> bool {
        name::is_denied(name) || self.deny.iter().any(|phrase| name::has_phrase(name, phrase))
    }
}

impl Redact for Rules {
    fn name(&self, name: &str) -> Verdict {
        if self.is_denied(name) && !self.is_allowed(name) {
            self.denied
        } else if self.values.is_some() {
            Verdict::Inspect
        } else {
            Verdict::Keep
        }
    }

    fn parameter(&self, name: &str) -> Verdict {
        let is_denied = self.parameters.iter().any(|own| own == name)
            || name.split(['[', ']', '.']).any(|part| PARAMETERS.iter().any(|own| name::is_same(part, own)))
            || self.is_denied(name);
        if is_denied && !self.is_allowed(name) { self.denied } else { Verdict::Keep }
    }

    fn value<'a>(&self, text: &'a str) -> Cow<'a, str> {
        self.values.map_or(Cow::Borrowed(text), |values| values.hidden(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_users_are_added_and_exempted() {
        let rules = Rules::new().deny("iban").allow("session_id").allow("token");
        for (name, expected) in [
            ("payer.iban", Verdict::Replace),
            ("password", Verdict::Replace),
            ("session.id", Verdict::Keep),
            ("SessionId", Verdict::Keep),
            ("token", Verdict::Keep),
            ("access_token", Verdict::Replace),
            ("order_id", Verdict::Keep),
        ] {
            assert_eq!(rules.name(name), expected, "{name}");
        }
        assert_eq!(Rules::new().denied(Verdict::Drop).name("password"), Verdict::Drop);
        assert_eq!(Rules::new().values(SecretValues::all()).name("order_id"), Verdict::Inspect);
    }

    #[test]
    fn the_list_of_the_conventions_can_be_replaced() {
        let rules = Rules::new().parameters(["Sid-X"]);
        assert_eq!(rules.parameter("Sid-X"), Verdict::Replace);
        assert_eq!(rules.parameter("sig"), Verdict::Keep);
        assert_eq!(rules.parameter("token"), Verdict::Replace);
    }
}
