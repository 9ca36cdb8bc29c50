//! Saying which feature something needs.

/// What is wrong with a setting that asks for what isn't built in, as it follows `NAME="value" is …`.
pub(crate) fn missing(feature: &str) -> String {
    format!("not built in (feature {feature} of throughline-otlp)")
}
