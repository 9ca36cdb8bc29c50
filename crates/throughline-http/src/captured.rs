//! Headers that are recorded because somebody asked for them.

use std::{borrow::Cow, fmt, sync::Arc};

use http::{HeaderMap, HeaderName, HeaderValue, header};
use throughline_core::{
    DIAGNOSTICS_TARGET, SpanRecord,
    redact::{self, Redactor},
};

use crate::{
    attributes::capped,
    counters::{Counts, count},
};

/// How many headers a list may name; further ones are left out, with a warning.
const HEADERS_MAX: usize = 32;

/// How many values of one header are recorded.
const HEADER_VALUES_MAX: usize = 8;

/// How much of each value is recorded, in bytes.
const HEADER_VALUE_LEN_MAX: usize = 1024;

/// The headers to record, by name; none unless told otherwise.
///
/// Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct CapturedHeaders(Arc<[Captured]>);

struct Captured {
    name: HeaderName,
    /// The name of the attribute.
    key: String,
    shown: Shown,
}

/// What may be seen of a header's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shown {
    Whole,
    /// A URL, whose secrets are taken out.
    Url,
    /// That there was one.
    Nothing,
}

impl CapturedHeaders {
    /// Records the headers called `names` as `{prefix}.{name}`.
    pub(crate) fn new(prefix: &str, names: impl IntoIterator<Item = HeaderName>) -> Self {
        let mut captured: Vec<Captured> = Vec::new();
        for name in names {
            if captured.len() == HEADERS_MAX {
                tracing::warn!(
                    target: DIAGNOSTICS_TARGET,
                    header = name.as_str(),
                    "more than {HEADERS_MAX} headers to record; left out this one and those after it"
                );
                break;
            }
            let (key, shown) = (format!("{prefix}.{name}"), shown(&name));
            captured.push(Captured { name, key, shown });
        }
        Self(captured.into())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Records those that are among `headers`.
    pub(crate) fn record(
        &self,
        headers: &HeaderMap,
        record: &mut dyn SpanRecord,
        redactor: &Redactor,
        counts: &Counts,
    ) {
        for captured in self.0.iter() {
            if let Some(first) = headers.get(&captured.name) {
                let values = std::iter::once(first).chain(headers.get_all(&captured.name).iter().skip(1));
                if captured.record(values, record, redactor) == Fit::Cut {
                    count(&counts.headers_cut);
                }
            }
        }
    }
}

/// Whether everything was recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fit {
    Whole,
    Cut,
}

impl Captured {
    fn record<'a>(
        &self,
        mut values: impl Iterator<Item = &'a HeaderValue>,
        record: &mut dyn SpanRecord,
        redactor: &Redactor,
    ) -> Fit {
        let mut texts = [const { Cow::Borrowed("") }; HEADER_VALUES_MAX];
        let mut shown = [""; HEADER_VALUES_MAX];
        let mut len = 0;
        for (place, value) in texts.iter_mut().zip(&mut values) {
            *place = self.text(value, redactor);
            len += 1;
        }
        let mut fit = if values.next().is_some() { Fit::Cut } else { Fit::Whole };
        for (place, text) in shown.iter_mut().zip(&texts) {
            *place = capped(text, HEADER_VALUE_LEN_MAX);
            if place.len() < text.len() {
                fit = Fit::Cut;
            }
        }
        record.attribute(&self.key, shown.get(..len).unwrap_or_default().into());
        fit
    }

    fn text<'a>(&self, value: &'a HeaderValue, redactor: &Redactor) -> Cow<'a, str> {
        if self.shown == Shown::Nothing || value.is_sensitive() {
            return Cow::Borrowed(redact::REDACTED);
        }
        match (self.shown, String::from_utf8_lossy(value.as_bytes())) {
            (Shown::Url, Cow::Borrowed(url)) => redactor.url(url),
            (Shown::Url, Cow::Owned(url)) => Cow::Owned(redactor.url(&url).into_owned()),
            (_, text) => text,
        }
    }
}

/// A list that names a credential was written by mistake: its value is never shown, whatever the pipeline's own rules say.
fn shown(name: &HeaderName) -> Shown {
    if redact::is_denied(name.as_str()) {
        Shown::Nothing
    } else if [header::REFERER, header::LOCATION, header::CONTENT_LOCATION].contains(name) {
        Shown::Url
    } else {
        Shown::Whole
    }
}

impl fmt::Debug for CapturedHeaders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.iter().map(|captured| &captured.name)).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_known_by_their_names() {
        for name in [
            "authorization",
            "proxy-authorization",
            "cookie",
            "set-cookie",
            "x-api-key",
            "api-key",
            "apikey",
            "x-goog-api-key",
            "ocp-apim-subscription-key",
            "x-amz-security-token",
            "x-auth-token",
            "x-csrf-token",
            "x-vault-token",
            "x-secret",
        ] {
            assert_eq!(shown(&name.parse().unwrap()), Shown::Nothing, "{name}");
        }
        for name in ["accept", "content-type", "idempotency-key", "x-tenant", "x-request-id", "authority"] {
            assert_eq!(shown(&name.parse().unwrap()), Shown::Whole, "{name}");
        }
    }

    #[test]
    fn a_list_has_an_end() {
        let names = (0..HEADERS_MAX + 8).map(|number| format!("x-{number}").parse().unwrap());
        assert_eq!(CapturedHeaders::new("http.request.header", names).0.len(), HEADERS_MAX);
    }
}
