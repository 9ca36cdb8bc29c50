//! Baggage that is told in telemetry, by an allow-list.

use crate::Baggage;

/// Which members of the baggage become fields of log lines and attributes of spans, and under which names.
///
/// Baggage comes from callers, and may hold what must not be stored: nothing is told that is not named here. The names are
/// the keys behind a prefix, `baggage.` unless set.
///
/// ```
/// use throughline_core::{Baggage, BaggageFields};
///
/// let fields = BaggageFields::new(["tenant"]).prefix("app.");
/// let baggage = Baggage::default().insert("tenant", "blue")?.insert("token", "s3cret")?;
/// assert_eq!(fields.of(&baggage).collect::<Vec<_>>(), [("app.tenant", "blue")]);
/// # Ok::<(), throughline_core::BaggageError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct BaggageFields(Vec<Told>);

#[derive(Clone, Debug)]
struct Told {
    key: String,
    name: String,
}

/// What stands before the keys.
const PREFIX: &str = "baggage.";

impl BaggageFields {
    /// Tells these keys, and no others.
    pub fn new<K: Into<String>>(keys: impl IntoIterator<Item = K>) -> Self {
        let told = |key: String| Told { name: format!("{PREFIX}{key}"), key };
        Self(keys.into_iter().map(Into::into).map(told).collect())
    }

    /// What stands before the keys in place of `baggage.`; it may be empty.
    #[must_use]
    pub fn prefix(mut self, prefix: &str) -> Self {
        for Told { key, name } in &mut self.0 {
            *name = format!("{prefix}{key}");
        }
        self
    }

    /// The keys, each with the name that it is told under.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|told| (told.key.as_str(), told.name.as_str()))
    }

    /// The names and values of those members of `baggage` that are told.
    pub fn of<'a>(&'a self, baggage: &'a Baggage) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.iter().filter_map(|(key, name)| baggage.get(key).map(|value| (name, value)))
    }
}
