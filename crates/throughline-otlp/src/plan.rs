//! What is in force, once code, environment and defaults have been weighed.

use std::{fmt::Display, str::FromStr, time::Duration};

use throughline_core::{
    AlwaysOff, AlwaysOn, ParentBased, Sampler, TraceIdRatio,
    env::{EnvWarning, Environment},
};

use crate::{
    InitError,
    builder::Signal,
    limits::{LogLimits, SpanLimits},
    resource,
    settings::{Compression, Endpoint, Protocol, REQUEST_TIMEOUT},
};

/// The environment and what was found wrong with it.
pub(crate) struct Variables<'a> {
    pub(crate) environment: &'a Environment,
    pub(crate) warnings: &'a mut Vec<EnvWarning>,
}

/// What was set in code for every signal.
pub(crate) struct InCode<'a> {
    pub(crate) endpoint: Option<&'a str>,
    pub(crate) protocol: Option<Protocol>,
    pub(crate) headers: &'a [(String, String)],
    pub(crate) timeout: Option<Duration>,
    pub(crate) compression: Option<Compression>,
}

impl Variables<'_> {
    /// Where a signal (`TRACES`, `METRICS`, `LOGS`) goes.
    pub(crate) fn endpoint(&mut self, signal: &str, code: &InCode<'_>) -> Result<Endpoint, InitError> {
        let protocol = self.protocol(signal, code)?;
        let url = match code.endpoint {
            Some(url) => {
                check_url(url).map_err(|problem| InitError::new("endpoint", url, problem))?;
                with_path(url, signal, protocol)
            }
            None => self.url(signal, protocol),
        };
        let timeout = match code.timeout {
            Some(timeout) => timeout,
            None => self.millis(&self.of(signal, "TIMEOUT"), REQUEST_TIMEOUT),
        };
        let compression = match code.compression {
            Some(compression) => compression,
            None => self.parsed(&self.of(signal, "COMPRESSION"), Compression::None),
        };
        let mut headers = self.headers(signal);
        for (name, value) in code.headers {
            headers.retain(|(own, _)| !own.eq_ignore_ascii_case(name));
            headers.push((name.clone(), value.clone()));
        }
        Ok(Endpoint { url, protocol, headers, timeout, compression })
    }

    /// The variable of the signal where it is set, else the general one.
    fn of(&self, signal: &str, what: &str) -> String {
        let own = format!("OTEL_EXPORTER_OTLP_{signal}_{what}");
        if self.environment.get(&own).is_some() { own } else { format!("OTEL_EXPORTER_OTLP_{what}") }
    }

    fn protocol(&mut self, signal: &str, code: &InCode<'_>) -> Result<Protocol, InitError> {
        let preferred = Protocol::preferred().ok_or_else(|| {
            InitError::new("protocol", "none", "neither of the features grpc and http is on")
        })?;
        if let Some(protocol) = code.protocol {
            let missing = || format!("needs the feature {:?} of throughline-otlp", protocol.feature());
            return if protocol.is_built_in() {
                Ok(protocol)
            } else {
                Err(InitError::new("protocol", protocol.to_string(), missing()))
            };
        }
        let name = self.of(signal, "PROTOCOL");
        let wanted = self.parsed(&name, preferred);
        if !wanted.is_built_in() {
            let problem = format!("not built in (feature {:?})", wanted.feature());
            EnvWarning::new(&name, &wanted.to_string(), problem, preferred).note(self.warnings);
            return Ok(preferred);
        }
        Ok(wanted)
    }

    /// A signal's own URL is used as it is; to the general one the signal's path is added.
    fn url(&mut self, signal: &str, protocol: Protocol) -> String {
        let default = with_path(protocol.default_endpoint(), signal, protocol);
        let own = format!("OTEL_EXPORTER_OTLP_{signal}_ENDPOINT");
        let insecure = self.environment.boolean("OTEL_EXPORTER_OTLP_INSECURE", self.warnings);
        let complete = |text: &str| {
            let bare = protocol == Protocol::Grpc && insecure && !text.contains("://");
            if bare { format!("http://{text}") } else { text.to_owned() }
        };
        let read = |text: &str| {
            let url = complete(text);
            check_url(&url).map(|()| url)
        };
        if self.environment.get(&own).is_some() {
            return self.environment.read(&own, default, self.warnings, read);
        }
        self.environment.read("OTEL_EXPORTER_OTLP_ENDPOINT", default, self.warnings, |text| {
            read(text).map(|url| with_path(&url, signal, protocol))
        })
    }

    /// Header values are credentials more often than not: a warning names the variable, not its value.
    fn headers(&mut self, signal: &str) -> Vec<(String, String)> {
        let name = self.of(signal, "HEADERS");
        let Some(value) = self.environment.get(&name) else {
            return Vec::new();
        };
        resource::pairs(value).unwrap_or_else(|problem| {
            EnvWarning::new(&name, "(hidden)", problem, "no headers").note(self.warnings);
            Vec::new()
        })
    }

    /// Whether a signal's exporter (`OTEL_TRACES_EXPORTER`) is on; `unset` says `otlp` or `none`.
    pub(crate) fn signal(&mut self, name: &str, unset: &'static str) -> Signal {
        let known = |value: &str| match value.trim().to_ascii_lowercase().as_str() {
            "otlp" => Ok("otlp"),
            "none" => Ok("none"),
            _ => Err("neither otlp nor none".to_owned()),
        };
        if self.environment.read(name, unset, self.warnings, known) == "none" {
            Signal::Off
        } else {
            Signal::On
        }
    }

    pub(crate) fn millis(&mut self, name: &str, default: Duration) -> Duration {
        let millis = u64::try_from(default.as_millis()).unwrap_or(u64::MAX);
        Duration::from_millis(self.environment.read(name, millis, self.warnings, |value| {
            value.parse().map_err(|_| "not a number of milliseconds".to_owned())
        }))
    }

    pub(crate) fn count(&mut self, name: &str, default: usize) -> usize {
        self.environment
            .read(name, default, self.warnings, |value| value.parse().map_err(|_| "not a number".to_owned()))
    }

    /// A count that must not be zero.
    pub(crate) fn positive(&mut self, name: &str, default: usize) -> usize {
        self.environment.read(name, default, self.warnings, |value| match value.parse() {
            Ok(0) | Err(_) => Err("not a positive number".to_owned()),
            Ok(count) => Ok(count),
        })
    }

    pub(crate) fn span_limits(&mut self) -> SpanLimits {
        let default = SpanLimits::default();
        let attributes = self.count("OTEL_ATTRIBUTE_COUNT_LIMIT", default.attributes);
        let mut limits = default
            .attributes(self.count("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", attributes))
            .events(self.count("OTEL_SPAN_EVENT_COUNT_LIMIT", default.events))
            .links(self.count("OTEL_SPAN_LINK_COUNT_LIMIT", default.links))
            .event_attributes(self.count("OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT", attributes))
            .link_attributes(self.count("OTEL_LINK_ATTRIBUTE_COUNT_LIMIT", attributes));
        for name in ["OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT"] {
            if self.environment.get(name).is_some() {
                let chars = self.count(name, usize::MAX);
                limits = limits.value_chars((chars != usize::MAX).then_some(chars));
            }
        }
        limits
    }

    pub(crate) fn log_limits(&mut self) -> LogLimits {
        let default = LogLimits::default();
        let attributes = self.count("OTEL_ATTRIBUTE_COUNT_LIMIT", default.attributes);
        let mut limits = default.attributes(self.count("OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT", attributes));
        for name in ["OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT"] {
            if self.environment.get(name).is_some() {
                let chars = self.count(name, usize::MAX);
                limits = limits.value_chars((chars != usize::MAX).then_some(chars));
            }
        }
        limits
    }

    /// `OTEL_TRACES_SAMPLER` and its argument.
    pub(crate) fn sampler(&mut self) -> Box<dyn Sampler> {
        const NAME: &str = "OTEL_TRACES_SAMPLER";
        const DEFAULT: &str = "parentbased_always_on";
        const KNOWN: [&str; 6] = [
            "always_on",
            "always_off",
            "traceidratio",
            DEFAULT,
            "parentbased_always_off",
            "parentbased_traceidratio",
        ];
        let chosen = self.environment.read(NAME, DEFAULT, self.warnings, |value| {
            let known = KNOWN.into_iter().find(|known| known.eq_ignore_ascii_case(value));
            known.ok_or_else(|| format!("none of {}", KNOWN.join(", ")))
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
        let ratio = self.environment.read("OTEL_TRACES_SAMPLER_ARG", 1.0, self.warnings, |value| {
            let ratio = value.parse::<f64>().ok().filter(|ratio| (0.0..=1.0).contains(ratio));
            ratio.ok_or_else(|| "not a number from 0 to 1".to_owned())
        });
        TraceIdRatio::new(ratio)
    }

    fn parsed<T: FromStr<Err = String> + Display>(&mut self, name: &str, default: T) -> T {
        self.environment.read(name, default, self.warnings, str::parse)
    }
}

/// An address that requests can be sent to. TLS is not built in.
fn check_url(url: &str) -> Result<(), String> {
    let parsed: http::Uri = url.parse().map_err(|_| "not a URL".to_owned())?;
    match parsed.scheme_str() {
        Some("http") if parsed.authority().is_some() => Ok(()),
        Some("https") => Err("https, and this version speaks plain HTTP only".to_owned()),
        _ => Err("not of the form http://HOST:PORT".to_owned()),
    }
}

/// Over HTTP a signal has a path below the base; gRPC has none.
fn with_path(base: &str, signal: &str, protocol: Protocol) -> String {
    match protocol {
        Protocol::Grpc => base.to_owned(),
        Protocol::HttpProtobuf => {
            let slash = if base.ends_with('/') { "" } else { "/" };
            format!("{base}{slash}v1/{}", signal.to_ascii_lowercase())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NO_CODE: InCode<'static> =
        InCode { endpoint: None, protocol: None, headers: &[], timeout: None, compression: None };

    fn endpoint(pairs: &[(&str, &str)]) -> (Endpoint, Vec<String>) {
        let environment = Environment::from_pairs(pairs.iter().copied());
        let mut warnings = Vec::new();
        let endpoint = Variables { environment: &environment, warnings: &mut warnings }
            .endpoint("TRACES", &NO_CODE)
            .unwrap();
        (endpoint, warnings.iter().map(ToString::to_string).collect())
    }

    #[cfg(all(feature = "grpc", feature = "http"))]
    #[test]
    fn urls_follow_the_specification() {
        let base = "OTEL_EXPORTER_OTLP_ENDPOINT";
        let own = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";
        let grpc = ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc");
        for (variables, expected) in [
            (vec![], "http://localhost:4318/v1/traces"),
            (vec![(base, "http://c:1")], "http://c:1/v1/traces"),
            (vec![(base, "http://c:1/")], "http://c:1/v1/traces"),
            (vec![(base, "http://c:1/otlp")], "http://c:1/otlp/v1/traces"),
            (vec![(base, "http://c:1"), (own, "http://d:2/x")], "http://d:2/x"),
            (vec![grpc], "http://localhost:4317"),
            (vec![grpc, (base, "http://c:1")], "http://c:1"),
            (vec![grpc, (base, "c:1"), ("OTEL_EXPORTER_OTLP_INSECURE", "true")], "http://c:1"),
        ] {
            let (endpoint, warnings) = endpoint(&variables);
            assert_eq!(endpoint.url, expected, "{variables:?}");
            assert!(warnings.is_empty(), "{warnings:?}");
        }
    }

    #[test]
    fn a_bad_variable_is_named_with_its_value_and_what_is_used() {
        for (name, value, expected) in [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "c:1:2", "OTEL_EXPORTER_OTLP_ENDPOINT=\"c:1:2\" is not"),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://c:1", "plain HTTP only; using http://localhost"),
            (
                "OTEL_EXPORTER_OTLP_PROTOCOL",
                "smoke",
                "PROTOCOL=\"smoke\" is neither grpc nor http/protobuf; using",
            ),
            (
                "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT",
                "1s",
                "TIMEOUT=\"1s\" is not a number of milliseconds; using 10000",
            ),
            (
                "OTEL_EXPORTER_OTLP_COMPRESSION",
                "rar",
                "COMPRESSION=\"rar\" is neither gzip nor none; using none",
            ),
        ] {
            let (_, warnings) = endpoint(&[(name, value)]);
            let [warning] = warnings.as_slice() else { panic!("{name}: {warnings:?}") };
            assert!(warning.contains(expected), "{warning}");
        }
    }

    #[test]
    fn headers_stay_out_of_warnings_and_debug() {
        let (endpoint, warnings) = endpoint(&[("OTEL_EXPORTER_OTLP_HEADERS", "api-key=s3cret,b=%20x")]);
        assert_eq!(endpoint.headers, [("api-key".into(), "s3cret".into()), ("b".into(), " x".into())]);
        assert!(!format!("{endpoint:?}{warnings:?}").contains("s3cret"));
        let (_, warnings) = self::endpoint(&[("OTEL_EXPORTER_OTLP_HEADERS", "s3cret")]);
        assert_eq!(warnings.len(), 1);
        assert!(!warnings[0].contains("s3cret"), "{warnings:?}");
    }

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
