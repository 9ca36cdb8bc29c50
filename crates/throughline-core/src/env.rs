//! The environment, read here and nowhere else.

mod otlp;
mod variable;
mod variables;

use std::{collections::BTreeMap, ffi::OsString, fmt, sync::Arc};

pub use otlp::OtlpVariables;
pub use variable::{State, Variable};
pub use variables::*;

use crate::redact;

/// Names that begin like this are ours, OpenTelemetry's or tell where a pod runs; nothing else of the environment is kept.
const PREFIXES: [&str; 4] = ["OTEL_", "THROUGHLINE_", "RUST_LOG", "K8S_"];

/// The variables that concern telemetry, as they were when this was made.
///
/// As the OpenTelemetry specification asks, an empty variable counts as unset. Bytes that are not UTF-8 become
/// replacement characters, so that the value is refused by whoever parses it instead of being lost.
#[derive(Clone, Default)]
pub struct Environment(Arc<BTreeMap<String, String>>);

impl Environment {
    /// The variables of this process, of which only those that concern telemetry are kept.
    #[must_use]
    pub fn process() -> Self {
        process_variables()
            .map(|(name, value)| (name.to_string_lossy().into_owned(), value.to_string_lossy().into_owned()))
            .filter(|(name, _)| PREFIXES.iter().any(|prefix| name.starts_with(prefix)))
            .collect()
    }

    /// Variables given in code: for tests, and for programs whose settings come from elsewhere.
    #[must_use]
    pub fn from_pairs<K: Into<String>, V: Into<String>>(pairs: impl IntoIterator<Item = (K, V)>) -> Self {
        pairs.into_iter().map(|(name, value)| (name.into(), value.into())).collect()
    }

    /// The value of a variable; `None` when it is unset or empty.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// The value of a variable as `parse` reads it; `used` where it is unset, and where it is bad, with a warning.
    pub fn read<T: fmt::Display>(
        &self,
        name: &str,
        used: T,
        warnings: &mut Vec<EnvWarning>,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> T {
        match self.get(name).map(|value| (value, parse(value))) {
            None => used,
            Some((_, Ok(parsed))) => parsed,
            Some((value, Err(problem))) => {
                EnvWarning::new(name, value, problem, &used).note(warnings);
                used
            }
        }
    }

    /// A warning for each variable that is set and [refused](State::Refused).
    #[must_use]
    pub fn refused(&self) -> Vec<EnvWarning> {
        let set = variables().filter_map(|variable| Some((variable, self.get(variable.name)?)));
        set.filter_map(|(variable, value)| match variable.state {
            State::Refused { used, because, harmless }
                if !harmless.iter().any(|same| same.eq_ignore_ascii_case(value)) =>
            {
                Some(EnvWarning::new(variable.name, value, because, used))
            }
            _ => None,
        })
        .collect()
    }

    /// A boolean by the specification's rules: true only for `true` in any case; anything else but `false` warns.
    pub fn boolean(&self, name: &str, warnings: &mut Vec<EnvWarning>) -> bool {
        self.read(name, false, warnings, |value| match value {
            _ if value.eq_ignore_ascii_case("true") => Ok(true),
            _ if value.eq_ignore_ascii_case("false") => Ok(false),
            _ => Err("neither true nor false".to_owned()),
        })
    }
}

/// All variables of this process, for whoever starts another.
pub(crate) fn process_variables() -> impl Iterator<Item = (OsString, OsString)> {
    std::env::vars_os()
}

impl FromIterator<(String, String)> for Environment {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(pairs: I) -> Self {
        Self(Arc::new(pairs.into_iter().collect()))
    }
}

impl fmt::Debug for Environment {
    /// Shows names only: values may hold credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// A variable whose value could not be used, and what is used instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnvWarning {
    variable: String,
    value: String,
    problem: String,
    used: String,
}

impl EnvWarning {
    /// `variable` has a bad `value`; `used` is what applies instead. Both are shown without credentials if they are URLs.
    pub fn new(variable: &str, value: &str, problem: impl Into<String>, used: impl fmt::Display) -> Self {
        Self {
            variable: variable.to_owned(),
            value: redact::url_full(value).into_owned(),
            problem: problem.into(),
            used: redact::url_full(&used.to_string()).into_owned(),
        }
    }

    /// Adds this to `warnings`, unless there is one of the same variable already: what several signals read is told once.
    pub fn note(self, warnings: &mut Vec<Self>) {
        if !warnings.iter().any(|known| known.variable == self.variable) {
            warnings.push(self);
        }
    }

    /// The name of the variable.
    #[must_use]
    pub fn variable(&self) -> &str {
        &self.variable
    }
}

impl fmt::Display for EnvWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { variable, value, problem, used } = self;
        write!(f, "{variable}={value:?} is {problem}; using {used}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_counts_as_unset() {
        let env = Environment::from_pairs([("OTEL_A", ""), ("OTEL_B", "b")]);
        assert_eq!((env.get("OTEL_A"), env.get("OTEL_B"), env.get("OTEL_C")), (None, Some("b"), None));
    }

    #[test]
    fn a_bad_value_is_named_with_what_is_used_instead() {
        let env = Environment::from_pairs([("OTEL_SDK_DISABLED", "yes")]);
        let mut warnings = Vec::new();
        assert!(!env.boolean("OTEL_SDK_DISABLED", &mut warnings));
        let [warning] = warnings.as_slice() else { panic!("{warnings:?}") };
        assert_eq!(warning.to_string(), r#"OTEL_SDK_DISABLED="yes" is neither true nor false; using false"#);
    }

    #[test]
    fn a_variable_that_is_read_twice_is_warned_about_once() {
        let env = Environment::from_pairs([("OTEL_X", "yes")]);
        let mut warnings = Vec::new();
        env.boolean("OTEL_X", &mut warnings);
        env.boolean("OTEL_X", &mut warnings);
        assert_eq!(warnings.len(), 1);
    }

    #[test]
    fn booleans_are_true_only_for_true() {
        for (value, expected) in [("true", true), ("TRUE", true), ("False", false), ("", false)] {
            let mut warnings = Vec::new();
            let env = Environment::from_pairs([("OTEL_X", value)]);
            assert_eq!(env.boolean("OTEL_X", &mut warnings), expected, "{value}");
            assert!(warnings.is_empty(), "{warnings:?}");
        }
    }

    #[test]
    fn every_name_is_in_the_table_once() {
        let mut names: Vec<_> = variables().map(|variable| variable.name).collect();
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all);
        // A constant beside the table would be a variable that no page tells of.
        let beside =
            include_str!("env.rs").lines().filter(|line| line.contains("const") && line.contains(": &str"));
        assert_eq!(beside.filter(|line| line.starts_with("pub ")).count(), 0);
    }

    #[test]
    fn what_is_refused_is_warned_about_unless_it_is_harmless() {
        let env = Environment::from_pairs([
            (OTEL_ENTITIES, "service{}"),
            (OTEL_METRICS_EXEMPLAR_FILTER, "ALWAYS_OFF"),
            (OTEL_CONFIG_FILE, ""),
        ]);
        let warnings = env.refused();
        let names: Vec<_> = warnings.iter().map(EnvWarning::variable).collect();
        assert_eq!(names, [OTEL_ENTITIES]);
    }

    #[test]
    fn debug_shows_no_values() {
        let env = Environment::from_pairs([("OTEL_EXPORTER_OTLP_HEADERS", "api-key=s3cret")]);
        assert!(!format!("{env:?}").contains("s3cret"));
    }
}
