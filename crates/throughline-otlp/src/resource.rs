//! Who sends: the resource of everything that is exported.

use throughline_core::{
    Value,
    env::{EnvWarning, Environment},
    redact::Redactor,
    semconv::resource as names,
};
use uuid::Builder as UuidBuilder;

use crate::detector::Detector;

/// Attributes of the resource, each key once, in the order in which they were first set.
#[derive(Clone, Debug, Default)]
pub(crate) struct Resource(Vec<(String, String)>);

impl Resource {
    /// What is known without being told, what was detected, then the environment, then what was set in code.
    pub(crate) fn new(
        service: &str,
        code: &[(String, String)],
        environment: &Environment,
        detectors: &[Detector],
        warnings: &mut Vec<EnvWarning>,
    ) -> Self {
        let mut resource = Self::default();
        resource.set(names::SERVICE_NAME, service);
        resource.set(names::SERVICE_INSTANCE_ID, &instance_id());
        resource.set(names::TELEMETRY_SDK_NAME, "throughline");
        resource.set(names::TELEMETRY_SDK_LANGUAGE, "rust");
        resource.set(names::TELEMETRY_SDK_VERSION, env!("CARGO_PKG_VERSION"));
        resource.set(names::TELEMETRY_DISTRO_NAME, "throughline");
        resource.set(names::TELEMETRY_DISTRO_VERSION, env!("CARGO_PKG_VERSION"));
        for (key, value) in detectors.iter().flat_map(|detector| detector.detect(environment)) {
            resource.set(key, &value);
        }
        for (key, value) in from_environment(environment, warnings) {
            resource.set(&key, &value);
        }
        if let Some(name) = environment.get("OTEL_SERVICE_NAME") {
            resource.set(names::SERVICE_NAME, name);
        }
        for (key, value) in code {
            resource.set(key, value);
        }
        resource
    }

    /// The same without what may not be shown.
    pub(crate) fn redacted(self, redactor: &Redactor) -> Self {
        let shown = self.0.into_iter().filter_map(|(key, value)| {
            let value = redactor.named(&key, &value)?.into_owned();
            Some((key, value))
        });
        Self(shown.collect())
    }

    /// The attributes with the types that the conventions give them.
    pub(crate) fn values(&self) -> impl Iterator<Item = (&str, Value<'_>)> {
        self.iter().map(|(key, text)| match text.parse() {
            Ok(number) if key == names::PROCESS_PID => (key, Value::I64(number)),
            _ => (key, Value::Str(text)),
        })
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }

    pub(crate) fn get(&self, key: &str) -> Option<&str> {
        self.iter().find(|(own, _)| *own == key).map(|(_, value)| value)
    }

    fn set(&mut self, key: &str, value: &str) {
        match self.0.iter_mut().find(|(own, _)| own == key) {
            Some((_, own)) => value.clone_into(own),
            None => self.0.push((key.to_owned(), value.to_owned())),
        }
    }
}

/// `OTEL_RESOURCE_ATTRIBUTES`; one bad entry discards the whole value, as the specification asks.
fn from_environment(environment: &Environment, warnings: &mut Vec<EnvWarning>) -> Vec<(String, String)> {
    const VARIABLE: &str = "OTEL_RESOURCE_ATTRIBUTES";
    let Some(value) = environment.get(VARIABLE) else {
        return Vec::new();
    };
    pairs(value).unwrap_or_else(|problem| {
        EnvWarning::new(VARIABLE, "(hidden)", problem, "none of it").note(warnings);
        Vec::new()
    })
}

/// `key=value,…` with percent-encoded values.
pub(crate) fn pairs(text: &str) -> Result<Vec<(String, String)>, String> {
    let entries = text.split(',').map(str::trim).filter(|entry| !entry.is_empty());
    entries
        .map(|entry| {
            let (key, value) = entry.split_once('=').ok_or("not of the form key=value,…")?;
            let (key, value) = (decoded(key.trim())?, decoded(value.trim())?);
            if key.is_empty() { Err("a key is empty".to_owned()) } else { Ok((key, value)) }
        })
        .collect()
}

fn decoded(text: &str) -> Result<String, String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        if *first != b'%' {
            bytes.push(*first);
            rest = after;
            continue;
        }
        let (digits, after) = after.split_at_checked(2).ok_or("percent-encoded wrongly")?;
        let digits = std::str::from_utf8(digits).map_err(|_| "percent-encoded wrongly")?;
        bytes.push(u8::from_str_radix(digits, 16).map_err(|_| "percent-encoded wrongly")?);
        rest = after;
    }
    String::from_utf8(bytes).map_err(|_| "not UTF-8".to_owned())
}

fn instance_id() -> String {
    let bytes: [u8; 16] = rand::random();
    UuidBuilder::from_random_bytes(bytes).into_uuid().hyphenated().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(environment: &[(&str, &str)], code: &[(&str, &str)]) -> String {
        let environment = Environment::from_pairs(environment.iter().copied());
        let code: Vec<_> = code.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let resource = Resource::new("argument", &code, &environment, &[], &mut Vec::new());
        resource.get("service.name").unwrap().to_owned()
    }

    #[test]
    fn the_service_name_comes_from_code_then_variable_then_list_then_argument() {
        let list = ("OTEL_RESOURCE_ATTRIBUTES", "service.name=list");
        let variable = ("OTEL_SERVICE_NAME", "variable");
        assert_eq!(names(&[], &[]), "argument");
        assert_eq!(names(&[list], &[]), "list");
        assert_eq!(names(&[list, variable], &[]), "variable");
        assert_eq!(names(&[list, variable], &[("service.name", "code")]), "code");
    }

    #[test]
    fn one_bad_entry_discards_the_list_and_is_told() {
        for bad in ["a", "a=%zz", "a=%f", "=b", "a=b,c", "a=%ff"] {
            let environment = Environment::from_pairs([("OTEL_RESOURCE_ATTRIBUTES", bad)]);
            let mut warnings = Vec::new();
            let resource = Resource::new("x", &[], &environment, &[], &mut warnings);
            assert_eq!(resource.get("a"), None, "{bad}");
            assert_eq!(warnings.len(), 1, "{bad}");
        }
    }

    #[test]
    fn values_are_percent_decoded() {
        assert_eq!(pairs("a=b%20c, d = e").unwrap(), [("a".into(), "b c".into()), ("d".into(), "e".into())]);
    }

    #[test]
    fn what_is_detected_gives_way_to_what_is_said() {
        let environment = Environment::from_pairs([("OTEL_RESOURCE_ATTRIBUTES", "host.name=said")]);
        let resource = Resource::new("x", &[], &environment, &Detector::ALL, &mut Vec::new());
        assert_eq!(resource.get("host.name"), Some("said"));
        let pid = resource.values().find(|(key, _)| *key == "process.pid").map(|(_, value)| value);
        assert_eq!(pid, Some(Value::I64(i64::from(std::process::id()))));
    }
}
