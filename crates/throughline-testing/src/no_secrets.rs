//! That nothing secret was told.

use std::fmt::Write;

use throughline_core::redact;
use throughline_receiver::{AttributeValue, Attributes};

use crate::{Seen, secret_shapes::shape_of_secret};

/// Asserts that none of these planted values is anywhere in what was seen, and nothing that looks like a secret.
///
/// Looked at are names, attributes, events, links and status of spans; bodies and attributes of log records; labels and
/// exemplars of metrics; resources and scopes; and the [texts](Seen::text). A planted value is found as it is and
/// percent-encoded. Beside these, it is a fault where
///
/// - an attribute is named like a secret (`http.request.header.authorization`, `db.password`) and isn't redacted,
/// - a URL or a query holds what [`redact`] would take out,
/// - a text has the shape of a token, a private key or credentials: `Bearer …`, `eyJ….eyJ…`, `AKIA…`, `ghp_…`,
///   `-----BEGIN … PRIVATE KEY-----`.
///
/// ```
/// use throughline_testing::{Capture, no_secrets};
///
/// let capture = Capture::new("orders");
/// capture.run(|| tracing::info_span!("pay", card.brand = "visa").in_scope(|| tracing::info!("paid")));
/// no_secrets(&capture, ["4111111111111111", "hunter2"]);
/// ```
///
/// # Panics
/// If a secret is found; the message lists each place and shows the tree, but of a secret only how it begins.
#[track_caller]
pub fn no_secrets<'a>(seen: impl Into<Seen>, planted: impl IntoIterator<Item = &'a str>) {
    let seen = seen.into();
    let mut search = Search::new(planted);
    search.seen(&seen);
    let found = search.found;
    assert!(found.is_empty(), "secrets were told:\n- {}\nin\n{}", found.join("\n- "), seen.tree());
}

/// So much of a secret is shown, so that one knows which it is.
const SHOWN_CHARS: usize = 4;

struct Search {
    /// Each planted value with what it looks like in a URL.
    planted: Vec<(String, String)>,
    found: Vec<String>,
}

impl Search {
    fn new<'a>(planted: impl IntoIterator<Item = &'a str>) -> Self {
        let planted = planted.into_iter().filter(|value| !value.is_empty());
        Self {
            planted: planted.map(|value| (value.to_owned(), percent_encoded(value))).collect(),
            found: Vec::new(),
        }
    }

    fn seen(&mut self, seen: &Seen) {
        for span in &seen.spans {
            let place = format!("span {:?}", span.name);
            self.text(&format!("{place}: name"), &span.name);
            self.text(&format!("{place}: tracestate"), &span.tracestate);
            if let throughline_receiver::Status::Error { message } = &span.status {
                self.text(&format!("{place}: status"), message);
            }
            self.attributes(&place, &span.attributes);
            self.sender(&place, &span.resource.attributes, &span.scope.attributes);
            for event in &span.events {
                let place = format!("{place}: event {:?}", event.name);
                self.text(&place, &event.name);
                self.attributes(&place, &event.attributes);
            }
            span.links.iter().for_each(|link| self.attributes(&format!("{place}: link"), &link.attributes));
        }
        for record in &seen.logs {
            let place = format!("log record {:?}", record.event_name);
            self.value(&format!("{place}: body"), "", &record.body);
            self.attributes(&place, &record.attributes);
            self.sender(&place, &record.resource.attributes, &record.scope.attributes);
        }
        for metric in &seen.metrics {
            let place = format!("metric {:?}", metric.name);
            self.sender(&place, &metric.resource.attributes, &metric.scope.attributes);
            for point in &metric.points {
                self.attributes(&place, &point.attributes);
                point
                    .exemplars
                    .iter()
                    .for_each(|one| self.attributes(&format!("{place}: exemplar"), &one.attributes));
            }
        }
        seen.texts.iter().for_each(|(place, text)| self.text(place, text));
    }

    fn sender(&mut self, place: &str, resource: &Attributes, scope: &Attributes) {
        self.attributes(&format!("{place}: resource"), resource);
        self.attributes(&format!("{place}: scope"), scope);
    }

    fn attributes(&mut self, place: &str, attributes: &Attributes) {
        for (key, value) in attributes.iter() {
            self.text(&format!("{place}: a key"), key);
            self.value(&format!("{place}: {key}"), key, value);
        }
    }

    fn value(&mut self, place: &str, key: &str, value: &AttributeValue) {
        let is_text = matches!(value, AttributeValue::String(_) | AttributeValue::Array(_));
        let text = match value {
            AttributeValue::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
            other => other.to_string(),
        };
        if is_text && redact::is_denied(key) && !is_redacted(&text) {
            self.note(place, "named like a secret and not redacted", &text);
        }
        if key.ends_with("url.query") && redact::query(&text) != text {
            self.note(place, "a query with a secret in it", &text);
        }
        self.text(place, &text);
    }

    fn text(&mut self, place: &str, text: &str) {
        let planted = self
            .planted
            .iter()
            .find(|(value, encoded)| text.contains(value.as_str()) || text.contains(encoded.as_str()))
            .map(|(value, _)| value.clone());
        if let Some(value) = planted {
            self.note(place, "a planted value", &value);
        } else if let Some((what, secret)) = shape_of_secret(text) {
            self.note(place, what, secret);
        }
    }

    fn note(&mut self, place: &str, what: &str, secret: &str) {
        let begin: String = secret.chars().take(SHOWN_CHARS).collect();
        self.found.push(format!("{place}: {what}, {begin:?}…"));
    }
}

fn is_redacted(text: &str) -> bool {
    text.is_empty() || text.trim_matches(['[', ']']).split(", ").all(|part| part == redact::REDACTED)
}

fn percent_encoded(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            let _infallible = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use throughline_core::{SpanExt, Value};

    use super::*;
    use crate::Capture;

    fn found_in(key: &str, value: impl Into<Value<'static>>, planted: &str) -> Vec<String> {
        let capture = Capture::builder("orders").redaction(redact::Off).build();
        capture.run(|| {
            tracing::info_span!("pay").set_attribute(key, value);
        });
        let mut search = Search::new([planted]);
        search.seen(&Seen::from(&capture));
        search.found
    }

    #[test]
    fn what_is_planted_is_found_as_it_is_and_encoded() {
        assert_eq!(
            found_in("a", "x hunter/2 y", "hunter/2"),
            ["span \"pay\": a: a planted value, \"hunt\"…"]
        );
        assert_eq!(
            found_in("a", "x=hunter%2F2", "hunter/2"),
            ["span \"pay\": a: a planted value, \"hunt\"…"]
        );
        assert_eq!(found_in("a", "x", "hunter/2"), [""; 0]);
    }

    #[test]
    fn names_of_secrets_are_for_redacted_values() {
        let cases: [(&str, Value<'static>, usize); 6] = [
            ("http.request.header.authorization", ["x"].as_slice().into(), 1),
            ("http.request.header.authorization", ["REDACTED"].as_slice().into(), 0),
            ("db.password", "x".into(), 1),
            ("db.password", "REDACTED".into(), 0),
            ("messaging.kafka.message.key", "x".into(), 0),
            ("http.response.status_code", 200.into(), 0),
        ];
        for (key, value, faults) in cases {
            assert_eq!(found_in(key, value, "planted").len(), faults, "{key}");
        }
    }

    #[test]
    fn log_lines_and_texts_are_looked_at() {
        let capture = Capture::new("orders");
        capture.run(|| tracing::info!(card = "4111", "paid"));
        let mut search = Search::new(["4111"]);
        search.seen(&Seen::from(&capture).text("stdout", "and 4111 again"));
        assert_eq!(
            search.found,
            ["log line: a planted value, \"4111\"…", "stdout: a planted value, \"4111\"…"]
        );
    }

    #[test]
    #[should_panic(expected = "span \"pay\": url.full: a planted value")]
    fn the_message_tells_the_place() {
        let capture = Capture::new("orders");
        capture.run(|| {
            tracing::info_span!("pay").set_attribute("url.full", "http://a/?q=hunter2");
        });
        no_secrets(&capture, ["hunter2"]);
    }
}
