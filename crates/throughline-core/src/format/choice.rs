//! `OTEL_PROPAGATORS`: which formats the environment asks for.

use super::{Format, Formats};
use crate::env::{EnvWarning, Environment, OTEL_PROPAGATORS};

/// What the environment asks for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Choice {
    /// No propagation at all.
    Off,
    Formats(Formats),
}

/// Reads the variable; `None` where it is unset, or names nothing that can be used.
///
/// Whatever is wrong with it is a warning: it never keeps a program from starting.
pub(crate) fn choice(environment: &Environment, warnings: &mut Vec<EnvWarning>) -> Option<Choice> {
    let value = environment.get(OTEL_PROPAGATORS)?;
    let names = || value.split(',').map(str::trim).filter(|name| !name.is_empty());
    let mut problems = Vec::new();
    let mut formats = Vec::new();
    for name in names() {
        match Entry::named(name) {
            Entry::Format(format) => formats.push(format),
            Entry::Off if names().count() == 1 => return Some(Choice::Off),
            Entry::Off => problems.push("none beside others".to_owned()),
            Entry::NotBuilt(feature) => {
                problems.push(format!("{name:?}, which needs the feature {feature:?}"));
            }
            Entry::Deprecated => problems.push(format!("{name:?}, which is deprecated and not supported")),
            Entry::Unknown => problems.push(format!("{name:?}, which is no propagator")),
        }
    }
    let used = if formats.is_empty() { Formats::DEFAULT } else { Formats::new(formats.iter().copied()) };
    for problem in problems {
        let used = used.names().collect::<Vec<_>>().join(",");
        warnings.push(EnvWarning::new(OTEL_PROPAGATORS, value, format!("a list with {problem}"), used));
    }
    (!formats.is_empty()).then_some(Choice::Formats(used))
}

enum Entry {
    Format(Format),
    Off,
    NotBuilt(&'static str),
    Deprecated,
    Unknown,
}

impl Entry {
    /// As the specification has it for every enumeration, case doesn't matter.
    fn named(name: &str) -> Self {
        let is = |known: &str| name.eq_ignore_ascii_case(known);
        if let Some(format) = Format::BUILT.iter().find(|format| is(format.name())) {
            return Self::Format(*format);
        }
        match name.to_ascii_lowercase().as_str() {
            "none" => Self::Off,
            "b3" | "b3multi" => Self::NotBuilt("b3"),
            "jaeger" => Self::NotBuilt("jaeger"),
            "xray" => Self::NotBuilt("xray"),
            "ottrace" => Self::Deprecated,
            _ => Self::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: &str) -> (Option<String>, Vec<String>) {
        let environment = Environment::from_pairs([(OTEL_PROPAGATORS, value)]);
        let mut warnings = Vec::new();
        let choice = choice(&environment, &mut warnings).map(|choice| match choice {
            Choice::Off => "off".to_owned(),
            Choice::Formats(formats) => formats.names().collect::<Vec<_>>().join(","),
        });
        (choice, warnings.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn what_the_variable_says() {
        for (value, chosen) in [
            ("", None),
            (" , ", None),
            ("tracecontext", Some("tracecontext")),
            ("baggage, TraceContext", Some("baggage,tracecontext")),
            ("tracecontext,baggage,tracecontext", Some("tracecontext,baggage")),
            ("none", Some("off")),
            (" NONE ,", Some("off")),
        ] {
            assert_eq!(read(value), (chosen.map(str::to_owned), Vec::new()), "{value:?}");
        }
    }

    #[test]
    fn what_cannot_be_used_is_named_and_left_out() {
        for (value, chosen, problem, used) in [
            (
                "tracecontext,zipkin",
                Some("tracecontext"),
                r#""zipkin", which is no propagator"#,
                "tracecontext",
            ),
            ("zipkin", None, r#""zipkin", which is no propagator"#, "tracecontext,baggage"),
            (
                "baggage,ottrace",
                Some("baggage"),
                r#""ottrace", which is deprecated and not supported"#,
                "baggage",
            ),
            ("none,baggage", Some("baggage"), "none beside others", "baggage"),
        ] {
            let warning = format!("OTEL_PROPAGATORS={value:?} is a list with {problem}; using {used}");
            assert_eq!(read(value), (chosen.map(str::to_owned), vec![warning]), "{value:?}");
        }
    }

    #[test]
    fn each_format_is_known_by_its_name_and_by_its_feature_where_it_is_not_built() {
        for (name, feature, is_built) in [
            ("b3", "b3", cfg!(feature = "b3")),
            ("b3multi", "b3", cfg!(feature = "b3")),
            ("jaeger", "jaeger", cfg!(feature = "jaeger")),
            ("xray", "xray", cfg!(feature = "xray")),
        ] {
            let (chosen, warnings) = read(name);
            assert_eq!(chosen.as_deref(), is_built.then_some(name));
            let missing = format!("which needs the feature {feature:?}");
            assert_eq!(warnings.iter().any(|warning| warning.contains(&missing)), !is_built, "{warnings:?}");
        }
    }
}
