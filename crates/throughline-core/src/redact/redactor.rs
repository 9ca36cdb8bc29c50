//! The engine: rules, applied.

use std::{
    borrow::Cow,
    fmt,
    sync::{
        Arc, LazyLock,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
};

use super::{
    REDACTED, Redact, RedactionCounters, Rules, Verdict,
    counters::Counts,
    judged,
    url::{self, Place},
};
use crate::{Baggage, Value};

/// Applies the rules of one program, and counts what it takes out. Cloning is cheap, and clones count together.
///
/// Every layer and every hop has one; the façade gives all of them the same. The default one has the default [`Rules`].
#[derive(Clone)]
pub struct Redactor(Arc<Inner>);

struct Inner {
    /// Whose verdicts a thread remembers.
    number: u32,
    rules: Box<dyn Redact>,
    counts: Counts,
}

/// The next number; zero is nobody's. After four billion of them in one process two might share verdicts.
static NUMBERS: AtomicU32 = AtomicU32::new(1);

impl Default for Redactor {
    fn default() -> Self {
        Self::new(Rules::new())
    }
}

impl<R: Redact> From<R> for Redactor {
    fn from(rules: R) -> Self {
        Self::new(rules)
    }
}

impl Redactor {
    /// Applies `rules`.
    pub fn new(rules: impl Redact) -> Self {
        let number = NUMBERS.fetch_add(1, Relaxed);
        Self(Arc::new(Inner { number, rules: Box::new(rules), counts: Counts::default() }))
    }

    /// The default rules, for what belongs to no pipeline; nobody reads what it counts.
    pub(crate) fn shared_default() -> &'static Self {
        static SHARED: LazyLock<Redactor> = LazyLock::new(Redactor::default);
        &SHARED
    }

    /// What becomes of a value with this name. A thread asks the rules once for a name, and then remembers.
    #[inline]
    #[must_use]
    pub fn judge(&self, name: &str) -> Verdict {
        judged::remembered(self.0.number, name, || self.0.rules.name(name))
    }

    /// [`judge`](Self::judge) for a name that lives as long as the program, as those of fields do: found faster.
    #[inline]
    #[must_use]
    pub fn judge_static(&self, name: &'static str) -> Verdict {
        judged::remembered_static(self.0.number, name, || self.0.rules.name(name))
    }

    /// A text that has no name, such as a message, without the secrets that can be told by their form.
    #[must_use]
    pub fn text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let shown = self.0.rules.value(text);
        if matches!(shown, Cow::Owned(_)) {
            self.0.counts.value();
        }
        shown
    }

    /// What is shown of a text with a name; `None` where it is left out.
    ///
    /// ```
    /// use throughline_core::redact::Redactor;
    /// let redactor = Redactor::default();
    /// assert_eq!(redactor.named("cookie", "a=b").as_deref(), Some("REDACTED"));
    /// assert_eq!(redactor.named("accept", "*/*").as_deref(), Some("*/*"));
    /// ```
    #[must_use]
    pub fn named<'a>(&self, name: &str, text: &'a str) -> Option<Cow<'a, str>> {
        match self.judge(name) {
            Verdict::Keep => Some(Cow::Borrowed(text)),
            Verdict::Inspect => Some(self.text(text)),
            Verdict::Replace => {
                self.0.counts.named();
                Some(Cow::Borrowed(REDACTED))
            }
            Verdict::Drop => {
                self.0.counts.dropped();
                None
            }
        }
    }

    /// Hands what is shown of an attribute to `show`; does not call it where the attribute is left out.
    ///
    /// An array of texts stays one: each of them is replaced.
    #[inline]
    pub fn attribute(&self, name: &str, value: Value<'_>, show: impl FnOnce(Value<'_>)) {
        match self.judge(name) {
            Verdict::Keep => show(value),
            verdict => self.attribute_but(verdict, value, show),
        }
    }

    /// [`attribute`](Self::attribute) for a name that lives as long as the program.
    #[inline]
    pub fn attribute_static(&self, name: &'static str, value: Value<'_>, show: impl FnOnce(Value<'_>)) {
        match self.judge_static(name) {
            Verdict::Keep => show(value),
            verdict => self.attribute_but(verdict, value, show),
        }
    }

    #[cold]
    fn attribute_but(&self, verdict: Verdict, value: Value<'_>, show: impl FnOnce(Value<'_>)) {
        match (verdict, value) {
            (Verdict::Keep, value) => show(value),
            (Verdict::Drop, _) => self.0.counts.dropped(),
            (Verdict::Replace, value) => {
                self.0.counts.named();
                match value {
                    Value::Strs(texts) => show(Value::Strs(&vec![REDACTED; texts.len()])),
                    _ => show(Value::Str(REDACTED)),
                }
            }
            (Verdict::Inspect, Value::Str(text)) => show(Value::Str(&self.text(text))),
            (Verdict::Inspect, Value::Strs(texts)) => {
                let shown: Vec<_> = texts.iter().map(|text| self.text(text)).collect();
                show(Value::Strs(&shown.iter().map(|text| &**text).collect::<Vec<_>>()));
            }
            (Verdict::Inspect, value) => show(value),
        }
    }

    /// Key and value of each member of `baggage` that may be shown. On the wire it stays whole.
    pub fn baggage<'a>(&'a self, baggage: &'a Baggage) -> impl Iterator<Item = (&'a str, Cow<'a, str>)> {
        baggage.iter().filter_map(|(key, value, _)| Some((key, self.named(key, value)?)))
    }

    /// A query string, with or without `?`, without the values of secret parameters.
    #[must_use]
    pub fn query<'a>(&self, query: &'a str) -> Cow<'a, str> {
        self.counted(url::without_secrets(query, Place::Query, &*self.0.rules))
    }

    /// A whole URL without its credentials and without the secrets of its query and its fragment.
    #[must_use]
    pub fn url<'a>(&self, url: &'a str) -> Cow<'a, str> {
        self.counted(url::without_secrets(url, Place::Url, &*self.0.rules))
    }

    fn counted<'a>(&self, shown: Cow<'a, str>) -> Cow<'a, str> {
        if matches!(shown, Cow::Owned(_)) {
            self.0.counts.url();
        }
        shown
    }

    /// Counts a value that somebody else has replaced or left out after asking [`judge`](Self::judge).
    pub fn count(&self, verdict: Verdict) {
        match verdict {
            Verdict::Replace => self.0.counts.named(),
            Verdict::Drop => self.0.counts.dropped(),
            Verdict::Keep | Verdict::Inspect => {}
        }
    }

    /// Whether this is the same one, or a clone of it.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// What has been taken out so far.
    #[must_use]
    pub fn counters(&self) -> RedactionCounters {
        self.0.counts.read()
    }
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redactor").field("counters", &self.counters()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redact::{Off, SecretValues};

    fn shown(redactor: &Redactor, name: &str, value: Value<'_>) -> Option<String> {
        let mut shown = None;
        redactor.attribute(name, value, |value| shown = Some(format!("{value:?}")));
        shown
    }

    #[test]
    fn a_denied_attribute_keeps_its_shape_and_nothing_else() {
        let redactor = Redactor::default();
        for (name, value, expected) in [
            ("password", Value::Str("x"), "Str(\"REDACTED\")"),
            ("pin_token", Value::I64(4711), "Str(\"REDACTED\")"),
            ("http.request.header.cookie", Value::Strs(&["a", "b"]), "Strs([\"REDACTED\", \"REDACTED\"])"),
            ("http.route", Value::Str("/a"), "Str(\"/a\")"),
        ] {
            assert_eq!(shown(&redactor, name, value).as_deref(), Some(expected), "{name}");
        }
        assert_eq!(redactor.counters(), RedactionCounters { by_name: 3, ..RedactionCounters::default() });
    }

    #[test]
    fn rules_may_leave_out_or_look_into_values() {
        let dropping = Redactor::new(Rules::new().denied(Verdict::Drop));
        assert_eq!(shown(&dropping, "password", Value::Str("x")), None);
        assert_eq!(dropping.named("password", "x"), None);
        assert_eq!(dropping.counters().dropped, 2);

        let looking = Redactor::new(Rules::new().values(SecretValues::all()));
        let (card, header) = ("card 4111111111111111", "Bearer abcdefgh12345678");
        assert_eq!(shown(&looking, "note", Value::Str(card)).as_deref(), Some("Str(\"card REDACTED\")"));
        assert_eq!(
            shown(&looking, "notes", Value::Strs(&["a", header])).as_deref(),
            Some("Strs([\"a\", \"Bearer REDACTED\"])")
        );
        assert_eq!(shown(&looking, "n", Value::I64(1)).as_deref(), Some("I64(1)"));
        assert_eq!(looking.counters().by_value, 2);
    }

    #[test]
    fn off_shows_everything() {
        let off = Redactor::new(Off);
        let url = "http://me:pw@host/?token=x&sig=y#access_token=z";
        assert_eq!(off.url(url), url);
        assert_eq!(off.judge("password"), Verdict::Keep);
        assert_eq!(off.text("Bearer abcdefgh12345678"), "Bearer abcdefgh12345678");
        assert_eq!(off.counters().total(), 0);
    }

    #[test]
    fn clones_count_together() {
        let redactor = Redactor::default();
        let clone = redactor.clone();
        assert_eq!(clone.url("http://me:pw@host/"), "http://REDACTED:REDACTED@host/");
        assert_eq!((redactor.counters().urls, redactor.is(&clone)), (1, true));
        assert!(!redactor.is(&Redactor::default()));
    }
}
