//! The form of a picture that is the same at each run.

/// What a picture tells of things that differ from run to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::demo) enum Look {
    /// Ids, ports and times as they were.
    Live,
    /// None of them, and what happened at the same time in alphabetical order: for pages and for tests.
    Steady,
}

/// What stands for a value that differs from run to run.
const SOMETHING: &str = "…";

impl Look {
    pub(in crate::demo) const fn is_steady(self) -> bool {
        matches!(self, Self::Steady)
    }

    /// The value of a field or an attribute as it may be shown.
    pub(super) fn value(self, key: &str, value: &str) -> String {
        match self {
            Self::Live => value.to_owned(),
            Self::Steady if is_a_measure(key) || is_an_id(value) => SOMETHING.to_owned(),
            Self::Steady => without_ports(value),
        }
    }
}

/// How many orders there were before is a matter of time, too, where a scenario orders until something has happened.
fn is_a_measure(key: &str) -> bool {
    if key == "order.id" {
        return true;
    }
    let last = key.rsplit(['.', '_']).next().unwrap_or_default();
    matches!(last, "ms" | "us" | "ns" | "s" | "delay" | "elapsed" | "age" | "lag" | "port" | "at")
}

/// Span ids, trace ids, UUIDs and whatever else is long and of hex digits.
fn is_an_id(value: &str) -> bool {
    value.len() >= 16 && value.chars().all(|char| char.is_ascii_hexdigit() || char == '-')
}

/// `127.0.0.1:41234` becomes `127.0.0.1:…`.
fn without_ports(value: &str) -> String {
    const HOST: &str = "127.0.0.1:";
    let mut parts = value.split(HOST);
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        text += HOST;
        text += SOMETHING;
        text += part.trim_start_matches(|char: char| char.is_ascii_digit());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_from_run_to_run_is_left_out() {
        for (key, value, expected) in [
            ("order.id", "7", "…"),
            ("user.id", "7", "7"),
            ("delay_ms", "12", "…"),
            ("throughline.messaging.queue_time_ms", "12", "…"),
            ("message.id", "0199b0a2-1c1d-7f00-8000-00000000002a", "…"),
            ("error", "no answer from 127.0.0.1:41234, giving up", "no answer from 127.0.0.1:…, giving up"),
            ("items", "teapot", "teapot"),
        ] {
            assert_eq!(Look::Steady.value(key, value), expected, "{key}={value}");
            assert_eq!(Look::Live.value(key, value), value);
        }
    }
}
