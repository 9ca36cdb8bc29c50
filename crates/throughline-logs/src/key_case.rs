//! How keys are spelt.

/// The case of the keys of a line: the fixed ones and those of fields.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyCase {
    /// As the preset, and whoever named a field, has them.
    #[default]
    AsIs,
    /// `trace_id`, `order_id`: what is not a letter or a digit becomes `_`, and a capital letter begins a word.
    Snake,
    /// `traceId`, `orderId`: what follows a character that is not a letter or a digit is a capital letter.
    Camel,
}

impl KeyCase {
    /// `key` in this case. A key without a letter or digit stays as it is.
    pub(crate) fn apply(self, key: &str) -> String {
        let has_word = key.chars().any(char::is_alphanumeric);
        match self {
            Self::Snake if has_word => snake(key),
            Self::Camel if has_word => camel(key),
            Self::AsIs | Self::Snake | Self::Camel => key.to_owned(),
        }
    }
}

fn snake(key: &str) -> String {
    let mut out = String::with_capacity(key.len() + 4);
    let mut follows_small = false;
    for character in key.chars() {
        if !character.is_alphanumeric() {
            if !out.is_empty() && !out.ends_with('_') {
                out.push('_');
            }
            follows_small = false;
            continue;
        }
        if character.is_uppercase() && follows_small {
            out.push('_');
        }
        follows_small = !character.is_uppercase();
        out.extend(character.to_lowercase());
    }
    out.truncate(out.trim_end_matches('_').len());
    out
}

fn camel(key: &str) -> String {
    let mut out = String::with_capacity(key.len());
    let mut begins_word = false;
    for character in key.chars() {
        if !character.is_alphanumeric() {
            begins_word = !out.is_empty();
        } else if begins_word {
            out.extend(character.to_uppercase());
            begins_word = false;
        } else {
            out.push(character);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_change_their_case() {
        for (key, in_snake, in_camel) in [
            ("timestamp", "timestamp", "timestamp"),
            ("trace_id", "trace_id", "traceId"),
            ("traceId", "trace_id", "traceId"),
            ("order.id", "order_id", "orderId"),
            ("http.response.status_code", "http_response_status_code", "httpResponseStatusCode"),
            ("@timestamp", "timestamp", "timestamp"),
            ("HTTPStatus", "httpstatus", "HTTPStatus"),
            ("_private__x_", "private_x", "privateX"),
            ("日本.größe", "日本_größe", "日本Größe"),
            ("...", "...", "..."),
            ("", "", ""),
        ] {
            assert_eq!(KeyCase::AsIs.apply(key), key);
            assert_eq!(KeyCase::Snake.apply(key), in_snake);
            assert_eq!(KeyCase::Camel.apply(key), in_camel);
        }
    }
}
