//! Where a signal goes over OTLP, and how.

use throughline_core::env::{EnvWarning, OtlpVariables};

use super::{InCode, Variables};
use crate::{
    InitError, features,
    otlp_settings::ClientCertificate,
    resource,
    settings::{Compression, Endpoint, Protocol, REQUEST_TIMEOUT},
    signal_kind::SignalKind,
    tls,
};

impl Variables<'_> {
    /// Code for the signal, code for all signals, the signal's variable, the variable of all signals, the default.
    pub(crate) fn endpoint(&mut self, kind: SignalKind, code: &InCode<'_>) -> Result<Endpoint, InitError> {
        let protocol = self.protocol(kind, code)?;
        let url = match (&code.own.endpoint, &code.all.endpoint) {
            (Some(url), _) => checked(url)?,
            (None, Some(url)) => with_path(&checked(url)?, kind, protocol),
            (None, None) => self.url(kind, protocol),
        };
        let timeout = match code.own.timeout.or(code.all.timeout) {
            Some(timeout) => timeout,
            None => self.millis(self.name(kind, |names| names.timeout), REQUEST_TIMEOUT),
        };
        Ok(Endpoint {
            url,
            protocol,
            headers: self.all_headers(kind, code),
            timeout,
            compression: self.compression(kind, code)?,
            tls: self.tls(kind, code)?,
        })
    }

    /// The variable of the signal where it is set, else the general one.
    fn name(&self, kind: SignalKind, which: impl Fn(OtlpVariables) -> &'static str) -> &'static str {
        let own = which(kind.variables());
        if self.environment.get(own).is_some() { own } else { which(OtlpVariables::ALL_SIGNALS) }
    }

    fn protocol(&mut self, kind: SignalKind, code: &InCode<'_>) -> Result<Protocol, InitError> {
        let preferred = Protocol::preferred().ok_or_else(|| {
            InitError::new("protocol", "none", "neither of the features grpc and http is on")
        })?;
        match code.own.protocol.or(code.all.protocol) {
            Some(protocol) if protocol.is_built_in() => Ok(protocol),
            Some(protocol) => {
                Err(InitError::new("protocol", protocol.to_string(), features::missing(protocol.feature())))
            }
            None => Ok(self.parsed(self.name(kind, |names| names.protocol), preferred)),
        }
    }

    fn compression(&mut self, kind: SignalKind, code: &InCode<'_>) -> Result<Compression, InitError> {
        match code.own.compression.or(code.all.compression) {
            Some(compression) if compression.is_built_in() => Ok(compression),
            Some(compression) => Err(InitError::new(
                "compression",
                compression.to_string(),
                features::missing(Compression::FEATURE),
            )),
            None => Ok(self.parsed(self.name(kind, |names| names.compression), Compression::None)),
        }
    }

    /// A signal's own URL is used as it is; to the general one the signal's path is added.
    fn url(&mut self, kind: SignalKind, protocol: Protocol) -> String {
        let default = with_path(protocol.default_endpoint(), kind, protocol);
        let insecure = self.environment.boolean(self.name(kind, |names| names.insecure), self.warnings);
        let name = self.name(kind, |names| names.endpoint);
        let is_own = name == kind.variables().endpoint;
        self.environment.read(name, default, self.warnings, |text| {
            let bare = protocol == Protocol::Grpc && !text.contains("://");
            let url = match (bare, insecure) {
                (false, _) => text.to_owned(),
                (true, true) => format!("http://{text}"),
                (true, false) => format!("https://{text}"),
            };
            check_url(&url)?;
            Ok(if is_own { url } else { with_path(&url, kind, protocol) })
        })
    }

    /// Those of the environment, and above them those in code.
    fn all_headers(&mut self, kind: SignalKind, code: &InCode<'_>) -> Vec<(String, String)> {
        let mut headers = self.headers(kind);
        for (name, value) in code.all.headers.iter().chain(&code.own.headers) {
            headers.retain(|(own, _)| !own.eq_ignore_ascii_case(name));
            headers.push((name.clone(), value.clone()));
        }
        headers
    }

    /// Header values are credentials more often than not: a warning names the variable, not its value.
    fn headers(&mut self, kind: SignalKind) -> Vec<(String, String)> {
        let name = self.name(kind, |names| names.headers);
        let Some(value) = self.environment.get(name) else {
            return Vec::new();
        };
        resource::pairs(value).unwrap_or_else(|problem| {
            EnvWarning::new(name, "(hidden)", problem, "no headers").note(self.warnings);
            Vec::new()
        })
    }

    /// Files are read here, so that what is wrong with one is known before anything runs.
    fn tls(&mut self, kind: SignalKind, code: &InCode<'_>) -> Result<tls::Material, InitError> {
        let mut material = <tls::Material as Default>::default();
        match code.own.certificate.as_ref().or(code.all.certificate.as_ref()) {
            Some(file) => material
                .trust(file)
                .map_err(|problem| InitError::new("certificate", file.to_string_lossy(), problem))?,
            None => {
                let name = self.name(kind, |names| names.certificate);
                self.file(name, "the authorities of this system", |file| material.trust(file.as_ref()));
            }
        }
        match code.own.client_certificate.as_ref().or(code.all.client_certificate.as_ref()) {
            Some(ClientCertificate { certificate, key }) => {
                material.identify(certificate, key).map_err(|problem| {
                    InitError::new("client_certificate", certificate.to_string_lossy(), problem)
                })?;
            }
            None => self.client_certificate(kind, &mut material),
        }
        Ok(material)
    }

    fn client_certificate(&mut self, kind: SignalKind, material: &mut tls::Material) {
        let names =
            [|names: OtlpVariables| names.client_certificate, |names: OtlpVariables| names.client_key];
        let [certificate, key] = names.map(|which| self.name(kind, which));
        let (problem, name) = match (self.environment.get(certificate), self.environment.get(key)) {
            (None, None) => return,
            (Some(_), Some(key)) => {
                return self.file(certificate, "none", |file| material.identify(file.as_ref(), key.as_ref()));
            }
            (Some(_), None) => (format!("a certificate without its key, {key}"), certificate),
            (None, Some(_)) => (format!("the key to nothing: {certificate} is unset"), key),
        };
        self.file(name, "none", |_| Err(problem));
    }

    fn file(&mut self, name: &str, used: &str, read: impl FnOnce(&str) -> Result<(), String>) {
        if let Some(file) = self.environment.get(name)
            && let Err(problem) = read(file)
        {
            EnvWarning::new(name, file, problem, used).note(self.warnings);
        }
    }
}

fn checked(url: &str) -> Result<String, InitError> {
    check_url(url).map_err(|problem| InitError::new("endpoint", url, problem))?;
    Ok(url.to_owned())
}

/// An address that requests can be sent to.
fn check_url(url: &str) -> Result<(), String> {
    let parsed: http::Uri = url.parse().map_err(|_| "not a URL".to_owned())?;
    let scheme = parsed.scheme_str().filter(|_| parsed.authority().is_some());
    match scheme {
        Some("http") => Ok(()),
        #[cfg(any(feature = "tls-ring", feature = "tls-aws-lc"))]
        Some("https") => Ok(()),
        #[cfg(not(any(feature = "tls-ring", feature = "tls-aws-lc")))]
        Some("https") => Err(format!("https, {}", features::missing(tls::FEATURE))),
        _ => Err("not of the form http://HOST:PORT or https://HOST:PORT".to_owned()),
    }
}

/// Over HTTP a signal has a path below the base; gRPC has none.
fn with_path(base: &str, kind: SignalKind, protocol: Protocol) -> String {
    match protocol {
        Protocol::Grpc => base.to_owned(),
        Protocol::HttpProtobuf | Protocol::HttpJson => {
            let slash = if base.ends_with('/') { "" } else { "/" };
            format!("{base}{slash}{}", kind.http_path())
        }
    }
}

#[cfg(test)]
#[cfg(any(feature = "grpc", feature = "http"))]
mod tests {
    use throughline_core::env::Environment;

    use super::*;
    use crate::otlp_settings::OtlpSettings;

    fn endpoint(pairs: &[(&str, &str)]) -> (Endpoint, Vec<String>) {
        let environment = Environment::from_pairs(pairs.iter().copied());
        let mut warnings = Vec::new();
        let none = OtlpSettings::new();
        let endpoint = Variables { environment: &environment, warnings: &mut warnings }
            .endpoint(SignalKind::Traces, &InCode { all: &none, own: &none })
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
            (
                "OTEL_EXPORTER_OTLP_PROTOCOL",
                "smoke",
                "PROTOCOL=\"smoke\" is none of grpc, http/protobuf and http/json; using",
            ),
            (
                "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT",
                "1s",
                "TIMEOUT=\"1s\" is not a number of milliseconds; using 10000",
            ),
            (
                "OTEL_EXPORTER_OTLP_COMPRESSION",
                "rar",
                "COMPRESSION=\"rar\" is none of gzip, zstd and none; using none",
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

    #[cfg(not(any(feature = "tls-ring", feature = "tls-aws-lc")))]
    #[test]
    fn what_is_not_built_in_is_named_with_its_feature() {
        let (_, warnings) = endpoint(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "https://c:1")]);
        assert!(
            warnings[0].contains("feature `tls-ring` or `tls-aws-lc` of throughline-otlp"),
            "{warnings:?}"
        );
    }

    #[test]
    fn a_signal_in_code_beats_all_signals_in_code_and_those_beat_the_environment() {
        let environment = Environment::from_pairs([
            ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://variable:1"),
            ("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "a=variable,b=variable"),
        ]);
        let all = OtlpSettings::new().endpoint("http://all:1").header("b", "all");
        let own = OtlpSettings::new().endpoint("http://own:1/x").header("B", "own");
        let mut warnings = Vec::new();
        let mut variables = Variables { environment: &environment, warnings: &mut warnings };
        for (own, url, headers) in [
            (OtlpSettings::new(), "http://all:1/v1/traces", "a=variable b=all"),
            (own, "http://own:1/x", "a=variable B=own"),
        ] {
            let endpoint = variables.endpoint(SignalKind::Traces, &InCode { all: &all, own: &own }).unwrap();
            let pairs: Vec<_> = endpoint.headers.iter().map(|(k, v)| format!("{k}={v}")).collect();
            if cfg!(feature = "http") {
                assert_eq!(endpoint.url, url);
            }
            assert_eq!(pairs.join(" "), headers);
        }
    }
}
