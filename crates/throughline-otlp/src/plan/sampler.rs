//! Which traces are recorded.

use throughline_core::{
    AlwaysOff, AlwaysOn, ParentBased, Sampler, TraceIdRatio,
    env::{OTEL_TRACES_SAMPLER, OTEL_TRACES_SAMPLER_ARG},
};

use super::Variables;

impl Variables<'_> {
    /// `OTEL_TRACES_SAMPLER` and its argument.
    pub(crate) fn sampler(&mut self) -> Box<dyn Sampler> {
        const DEFAULT: &str = "parentbased_always_on";
        const KNOWN: [&str; 6] = [
            "always_on",
            "always_off",
            "traceidratio",
            DEFAULT,
            "parentbased_always_off",
            "parentbased_traceidratio",
        ];
        let chosen = self.environment.read(OTEL_TRACES_SAMPLER, DEFAULT, self.warnings, |value| {
            let known = KNOWN.into_iter().find(|known| known.eq_ignore_ascii_case(value));
            known.ok_or_else(|| match value.to_ascii_lowercase().as_str() {
                "jaeger_remote" | "parentbased_jaeger_remote" | "xray" => {
                    "a sampler that asks a server, which is not supported".to_owned()
                }
                _ => format!("none of {}", KNOWN.join(", ")),
            })
        });
        match chosen {
            "always_on" => Box::new(AlwaysOn),
            "always_off" => Box::new(AlwaysOff),
            "parentbased_always_off" => Box::new(ParentBased::new(AlwaysOff)),
            "traceidratio" => {
                self.ratio().map_or_else(|| Box::new(AlwaysOn) as Box<dyn Sampler>, |ratio| Box::new(ratio))
            }
            "parentbased_traceidratio" => self.ratio().map_or_else(
                || Box::new(ParentBased::new(AlwaysOn)) as Box<dyn Sampler>,
                |ratio| Box::new(ParentBased::new(ratio)),
            ),
            _ => Box::new(ParentBased::new(AlwaysOn)),
        }
    }

    fn ratio(&mut self) -> Option<TraceIdRatio> {
        let ratio = self.environment.read(OTEL_TRACES_SAMPLER_ARG, 1.0, self.warnings, |value| {
            let ratio = value.parse::<f64>().ok().filter(|ratio| (0.0..=1.0).contains(ratio));
            ratio.ok_or_else(|| "not a number from 0 to 1".to_owned())
        });
        TraceIdRatio::new(ratio)
    }
}

#[cfg(test)]
mod tests {
    use throughline_core::env::Environment;

    use super::*;

    #[test]
    fn samplers_are_known_by_name_in_any_case() {
        let trace = throughline_core::TraceId::from_bytes([1; 16]).unwrap();
        for (name, argument, sampled, warned) in [
            ("always_on", "", true, 0),
            ("ALWAYS_OFF", "", false, 0),
            ("parentbased_always_off", "", false, 0),
            ("traceidratio", "0", false, 0),
            ("traceidratio", "2", true, 1),
            ("parentbased_traceidratio", "0.0", false, 0),
            ("jaeger_remote", "", true, 1),
        ] {
            let environment = Environment::from_pairs([
                ("OTEL_TRACES_SAMPLER", name),
                ("OTEL_TRACES_SAMPLER_ARG", argument),
            ]);
            let mut warnings = Vec::new();
            let sampler = Variables { environment: &environment, warnings: &mut warnings }.sampler();
            assert_eq!(sampler.sample(None, trace, ""), sampled, "{name} {argument}");
            assert_eq!(warnings.len(), warned, "{name} {argument}: {warnings:?}");
        }
    }
}
