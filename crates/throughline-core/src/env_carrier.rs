//! Environment variables as a carrier: from a process to the ones that it starts.

use std::{collections::BTreeMap, ffi::OsString, fmt};

use crate::{Carrier, env};

/// A copy of environment variables that a context is read from, or written to for a child process.
///
/// Names are normalised as OpenTelemetry has it: `traceparent` stands in `TRACEPARENT`, `x-correlation-id` in
/// `X_CORRELATION_ID`. Nothing here starts a process or changes the variables of this one.
///
/// ```
/// use std::process::Command;
/// use throughline_core::{Context, EnvCarrier, Pipeline};
///
/// let mut variables = EnvCarrier::process();
/// Pipeline::current().propagator().inject(&Context::current(), &mut variables);
/// let mut import = Command::new("import");
/// import.env_clear().envs(variables);
/// ```
///
/// In the child the same carrier is read, once, when it starts; [`Context::enter`](crate::Context::enter) and
/// [`with_remote`](crate::with_remote) do the rest. Who may see a process may often see its variables, too: baggage with
/// secrets in it has no place there.
#[derive(Clone, Default)]
pub struct EnvCarrier(BTreeMap<OsString, OsString>);

impl EnvCarrier {
    /// The variables of this process, all of them: the child is to get its path and its settings, too.
    #[must_use]
    pub fn process() -> Self {
        env::process_variables().collect()
    }
}

impl FromIterator<(OsString, OsString)> for EnvCarrier {
    fn from_iter<I: IntoIterator<Item = (OsString, OsString)>>(pairs: I) -> Self {
        Self(pairs.into_iter().collect())
    }
}

impl IntoIterator for EnvCarrier {
    type Item = (OsString, OsString);
    type IntoIter = std::collections::btree_map::IntoIter<OsString, OsString>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl Carrier for EnvCarrier {
    /// An empty variable counts as unset. Values are handed on as they are.
    fn get_all<'a>(&'a self, name: &str, visit: &mut dyn FnMut(&'a [u8])) {
        let value = self.0.get(&normalised(name)).filter(|value| !value.is_empty());
        if let Some(value) = value {
            visit(value.as_encoded_bytes());
        }
    }

    fn set(&mut self, name: &str, value: &str) {
        self.0.insert(normalised(name), value.into());
    }

    fn remove(&mut self, name: &str) {
        self.0.remove(&normalised(name));
    }

    /// Only names that are normalised.
    fn names(&self, visit: &mut dyn FnMut(&str)) {
        let names = self.0.keys().filter_map(|name| name.to_str());
        names.filter(|name| normalised(name) == **name).for_each(visit);
    }
}

/// `^[A-Z_][A-Z0-9_]*$`: upper case, underscores for everything else, and one before a digit that would come first.
fn normalised(name: &str) -> OsString {
    let needs_underscore = name.bytes().next().is_none_or(|first| first.is_ascii_digit());
    let mut normalised = String::with_capacity(name.len() + 1);
    if needs_underscore {
        normalised.push('_');
    }
    normalised.extend(name.chars().map(|character| {
        if character.is_ascii_alphanumeric() { character.to_ascii_uppercase() } else { '_' }
    }));
    normalised.into()
}

impl fmt::Debug for EnvCarrier {
    /// Shows names only: values may be secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{EdgePolicy, Propagator};

    const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-03";

    fn variables(pairs: &[(&str, &str)]) -> EnvCarrier {
        pairs.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect()
    }

    fn text(carrier: EnvCarrier) -> Vec<(String, String)> {
        let text = |text: OsString| text.into_string().unwrap();
        carrier.into_iter().map(|(name, value)| (text(name), text(value))).collect()
    }

    #[test]
    fn names_are_normalised() {
        for (name, expected) in [
            ("traceparent", "TRACEPARENT"),
            ("x-b3-traceid", "X_B3_TRACEID"),
            ("X-Correlation-Id", "X_CORRELATION_ID"),
            ("already_NORMAL_1", "ALREADY_NORMAL_1"),
            ("1st", "_1ST"),
            ("", "_"),
            ("a.b c", "A_B_C"),
            ("caf\u{e9}", "CAF_"),
        ] {
            assert_eq!(normalised(name), expected, "{name:?}");
        }
    }

    #[test]
    fn only_the_normalised_name_is_read_and_listed() {
        let carrier = variables(&[
            ("x-b3-traceid", "raw"),
            ("X_B3_TRACEID", "normal"),
            ("traceparent", "raw"),
            ("BAGGAGE", ""),
        ]);
        let values = |name| {
            let mut values = Vec::new();
            carrier.get_all(name, &mut |value| values.push(String::from_utf8_lossy(value).into_owned()));
            values
        };
        assert_eq!(values("x-b3-traceid"), ["normal"]);
        assert_eq!(values("traceparent"), [""; 0]);
        assert_eq!(values("baggage"), [""; 0], "empty is unset");
        let mut names = Vec::new();
        carrier.names(&mut |name| names.push(name.to_owned()));
        assert_eq!(names, ["BAGGAGE", "X_B3_TRACEID"]);
    }

    #[test]
    fn a_child_gets_the_context_beside_everything_else_and_nothing_stale() {
        let propagator = Propagator::default();
        let incoming = variables(&[
            ("TRACEPARENT", PARENT),
            ("TRACESTATE", "a=1"),
            ("BAGGAGE", "tenant=blue"),
            ("X_CORRELATION_ID", "order-1"),
        ]);
        let context = propagator.extract(&incoming, &EdgePolicy::trust());
        let mut child = variables(&[("PATH", "/bin"), ("TRACESTATE", "stale=1")]);
        propagator.inject(&context, &mut child);
        let expected = [
            ("BAGGAGE", "tenant=blue"),
            ("PATH", "/bin"),
            ("TRACEPARENT", PARENT),
            ("TRACESTATE", "a=1"),
            ("X_CORRELATION_ID", "order-1"),
        ];
        assert_eq!(text(child.clone()), text(variables(&expected)));

        propagator.inject(&crate::Context::default(), &mut child);
        assert_eq!(text(child), text(variables(&[("PATH", "/bin")])));
    }

    #[test]
    fn debug_shows_no_values() {
        assert_eq!(format!("{:?}", variables(&[("API_KEY", "s3cret")])), r#"{"API_KEY"}"#);
    }

    proptest! {
        #[test]
        fn every_name_becomes_one_that_any_shell_takes(name in ".{0,12}") {
            let normal = normalised(&name).into_string().unwrap();
            prop_assert!(!normal.is_empty() && !normal.starts_with(|first: char| first.is_ascii_digit()));
            prop_assert!(normal.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_'));
            prop_assert_eq!(normalised(&normal), OsString::from(normal));
        }
    }
}
