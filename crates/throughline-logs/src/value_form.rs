//! The forms that the presets give to a value which stands there as JSON already.

use crate::escape;

/// How a field stands in the object that it goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// `,"key":value`
    Json,
    /// `,"key":"value"`: for objects that may hold strings only.
    Text,
    /// `,{"key":"key","value":{"stringValue":"value"}}`: OTLP's attributes.
    KeyValue,
}

impl Form {
    /// Appends a member; `key` and `json` are escaped already.
    pub(crate) fn append(self, out: &mut Vec<u8>, key: &[u8], json: &[u8]) {
        match self {
            Self::Json => named(out, key, |out| out.extend_from_slice(json)),
            Self::Text => named(out, key, |out| text(out, json)),
            Self::KeyValue => {
                out.extend_from_slice(b",{\"key\":\"");
                out.extend_from_slice(key);
                out.extend_from_slice(b"\",\"value\":");
                any_value(out, json);
                out.push(b'}');
            }
        }
    }
}

fn named(out: &mut Vec<u8>, key: &[u8], value: impl FnOnce(&mut Vec<u8>)) {
    out.extend_from_slice(b",\"");
    out.extend_from_slice(key);
    out.extend_from_slice(b"\":");
    value(out);
}

/// A string stays one; anything else becomes a string of its JSON.
fn text(out: &mut Vec<u8>, json: &[u8]) {
    if json.first() == Some(&b'"') {
        return out.extend_from_slice(json);
    }
    out.push(b'"');
    escape::quoted(out, str::from_utf8(json).unwrap_or_default());
    out.push(b'"');
}

/// OTLP's `AnyValue` in its JSON encoding: 64-bit integers are strings of digits.
///
/// A number beyond 64 bits signed has no counterpart there and becomes a string.
fn any_value(out: &mut Vec<u8>, json: &[u8]) {
    let wrapped = |out: &mut Vec<u8>, kind: &[u8], quote: &[u8]| {
        for part in [b"{\"".as_slice(), kind, b"\":", quote, json, quote, b"}"] {
            out.extend_from_slice(part);
        }
    };
    match json.first() {
        Some(b'"') => wrapped(out, b"stringValue", b""),
        Some(b't' | b'f') => wrapped(out, b"boolValue", b""),
        Some(b'[') => array(out, json),
        _ if json.iter().any(|byte| matches!(byte, b'.' | b'e')) => wrapped(out, b"doubleValue", b""),
        _ if str::from_utf8(json).is_ok_and(|text| text.parse::<i64>().is_ok()) => {
            wrapped(out, b"intValue", b"\"");
        }
        _ => wrapped(out, b"stringValue", b"\""),
    }
}

/// An array of strings, which is what the chain of an error is.
fn array(out: &mut Vec<u8>, json: &[u8]) {
    out.extend_from_slice(b"{\"arrayValue\":{\"values\":[");
    let mut rest = json.get(1..).unwrap_or_default();
    while let Some(len) = string_len(rest) {
        let (string, after) = rest.split_at_checked(len).unwrap_or((rest, &[]));
        if out.last() != Some(&b'[') {
            out.push(b',');
        }
        any_value(out, string);
        rest = after.get(1..).unwrap_or_default();
    }
    out.extend_from_slice(b"]}}");
}

/// The length of the JSON string at the front, its quotes included.
fn string_len(json: &[u8]) -> Option<usize> {
    let mut bytes = json.iter().enumerate();
    bytes.next().filter(|(_, first)| **first == b'"')?;
    while let Some((place, byte)) = bytes.next() {
        match byte {
            b'\\' => {
                bytes.next();
            }
            b'"' => return Some(place + 1),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_of_each_kind_of_value() {
        for (json, as_text, as_any_value) in [
            (r#""a \"b\"""#, r#""a \"b\"""#, r#"{"stringValue":"a \"b\""}"#),
            ("true", r#""true""#, r#"{"boolValue":true}"#),
            ("-7", r#""-7""#, r#"{"intValue":"-7"}"#),
            (
                "18446744073709551615",
                r#""18446744073709551615""#,
                r#"{"stringValue":"18446744073709551615"}"#,
            ),
            ("0.5", r#""0.5""#, r#"{"doubleValue":0.5}"#),
            ("1e300", r#""1e300""#, r#"{"doubleValue":1e300}"#),
            (
                r#"["a","b\",]"]"#,
                r#""[\"a\",\"b\\\",]\"]""#,
                r#"{"arrayValue":{"values":[{"stringValue":"a"},{"stringValue":"b\",]"}]}}"#,
            ),
            ("[]", r#""[]""#, r#"{"arrayValue":{"values":[]}}"#),
        ] {
            for (form, expected) in [
                (Form::Json, format!(",\"k\":{json}")),
                (Form::Text, format!(",\"k\":{as_text}")),
                (Form::KeyValue, format!(",{{\"key\":\"k\",\"value\":{as_any_value}}}")),
            ] {
                let mut out = Vec::new();
                form.append(&mut out, b"k", json.as_bytes());
                assert_eq!(String::from_utf8(out).unwrap(), expected);
            }
        }
    }
}
