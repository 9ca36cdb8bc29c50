//! The table of variables, kept true: what it says is in `docs/settings.md`, each variable is read, each setter exists.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::{collections::BTreeSet, fmt::Write, path::Path, time::Duration};

use throughline::{
    core::{
        AlwaysOn, KnownMethods, Propagator,
        env::{Environment, State, THROUGHLINE_UPDATE_SNAPSHOTS, Variable, variables},
    },
    logs::Format,
    otlp::{
        Compression, Destination, LogLimits, MetricHistograms, MetricTemporality, OtlpSettings, Protocol,
        SpanLimits,
    },
};
use tracing_subscriber::filter::{LevelFilter, Targets};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/settings.md");

/// Sets everything up and ends it at once; a bad variable is an error.
fn build(environment: &[(&str, &str)]) -> Result<(), String> {
    let builder = throughline::builder("settings")
        .environment(Environment::from_pairs(environment.iter().copied()))
        .strict_environment()
        .without_logs();
    let telemetry = builder.build().map_err(|error| error.to_string())?;
    telemetry.shutdown_blocking(Duration::ZERO);
    Ok(())
}

/// A value that cannot be used.
fn bad(variable: &Variable) -> Vec<(&'static str, &'static str)> {
    match variable.name {
        "RUST_LOG" | "THROUGHLINE_SPANS" => vec![(variable.name, "info[")],
        "OTEL_TRACES_SAMPLER_ARG" => vec![(variable.name, "?"), ("OTEL_TRACES_SAMPLER", "traceidratio")],
        name if name.starts_with("OTEL_EXPORTER_OTLP_LOGS_") => {
            vec![(name, "?"), ("OTEL_LOGS_EXPORTER", "otlp")]
        }
        name => vec![(name, "?")],
    }
}

#[test]
fn every_variable_is_read_and_a_bad_value_is_named() {
    for variable in variables() {
        let told = build(&bad(variable)).err();
        let expected = format!("{}=", variable.name);
        match variable.state {
            State::AnyText | State::InTests => assert_eq!(told, None, "{}", variable.name),
            _ => assert!(
                told.as_ref().is_some_and(|told| told.contains(&expected)),
                "{} is not read: {told:?}",
                variable.name
            ),
        }
    }
}

#[test]
fn what_is_refused_is_told_with_what_is_used_instead() {
    for (variable, value, expected) in [
        (
            "OTEL_CONFIG_FILE",
            "otel.yaml",
            "is a file of settings, which is not read; using the other variables",
        ),
        ("OTEL_TRACES_EXPORTER", "zipkin", "is a list with zipkin, which is not supported; using otlp"),
        ("OTEL_TRACES_SAMPLER", "xray", "is a sampler that asks a server, which is not supported; using"),
    ] {
        let told = build(&[(variable, value)]).unwrap_err();
        assert!(told.contains(expected), "{told}");
    }
    build(&[("OTEL_METRICS_EXEMPLAR_FILTER", "always_off")]).unwrap();
}

/// Calls each setter, and says its name as the table does.
macro_rules! setters {
    ($($type:ident($new:expr): $($setter:ident($($argument:expr),*))*;)*) => {{
        let mut names = BTreeSet::new();
        $($(
            let _changed = $new.$setter($($argument),*);
            names.insert(concat!(stringify!($type), "::", stringify!($setter)));
        )*)*
        names
    }};
}

#[test]
fn every_setter_of_the_table_exists() {
    let exporter = || throughline::otlp::builder("settings");
    let front = || throughline::builder("settings");
    let second = Duration::from_secs(1);
    let setters = setters! {
        ExporterBuilder(exporter()):
            disabled(true) resource("k", "v") resource_detectors([]) sampler(AlwaysOn) traces_to([Destination::Console])
            metrics_to([Destination::Otlp]) logs_to([Destination::Console]) log_schedule_delay(second)
            log_outage_budget(second) log_queue_len_max(1) log_batch_len(1) schedule_delay(second) outage_budget(second) queue_len_max(1)
            batch_len(1) metric_interval(second) metric_timeout(second)
            metric_temporality(MetricTemporality::Delta) metric_histograms(MetricHistograms::Exponential)
            endpoint("http://c:1") protocol(Protocol::Grpc) header("k", "v") timeout(second)
            compression(Compression::Gzip) certificate("ca.pem") client_certificate("own.pem", "own.key")
            traces_otlp(OtlpSettings::new()) metrics_otlp(OtlpSettings::new())
            logs_otlp(OtlpSettings::new());
        OtlpSettings(OtlpSettings::new()):
            endpoint("http://c:1") protocol(Protocol::Grpc) header("k", "v") timeout(second)
            compression(Compression::Gzip) certificate("ca.pem") client_certificate("own.pem", "own.key");
        SpanLimits(SpanLimits::default()):
            attributes(1) events(1) links(1) event_attributes(1) link_attributes(1) value_chars(None);
        LogLimits(LogLimits::default()):
            attributes(1) value_chars(None);
        Propagator(Propagator::default()):
            formats([throughline::core::Format::Baggage]);
        Builder(front()):
            known_methods(KnownMethods::default()) orphans(throughline::Orphans::new())
            service_name("x") diagnostics_level(LevelFilter::WARN) log_filter(Targets::new())
            span_filter(Targets::new()) log_format(Format::default()) span_limits(SpanLimits::default());
    };
    for variable in variables() {
        let has_setter = setters.contains(variable.setter);
        let needs_one = matches!(variable.state, State::Read | State::AnyText);
        assert!(has_setter || !needs_one && variable.setter.is_empty(), "{variable:?}");
    }
}

/// `THROUGHLINE_UPDATE_SNAPSHOTS=true cargo test -p throughline --test settings` writes the page anew.
#[test]
fn the_page_says_what_the_table_says() {
    let page = page();
    if Environment::process().boolean(THROUGHLINE_UPDATE_SNAPSHOTS, &mut Vec::new()) {
        std::fs::create_dir_all(Path::new(PAGE).parent().unwrap()).unwrap();
        std::fs::write(PAGE, &page).unwrap();
    }
    let written = std::fs::read_to_string(PAGE).unwrap_or_default();
    assert!(written == page, "docs/settings.md is not what the table of variables says");
}

const HEAD: &str = "\
# Settings

<!-- Made from the table in crates/throughline-core/src/env by the test `settings` of the crate `throughline`. -->

Code beats environment beats default, and one signal beats all signals. A bad value in code is an error of `init` that names
it; in the environment it is a warning that names variable, value and what is used instead (an error, too, after
`Builder::strict_environment`). An empty variable counts as unset. Setters of `ExporterBuilder` are reached through
`Builder::exporter`; those of `OtlpSettings` belong to one signal, by `ExporterBuilder::traces_otlp`, `metrics_otlp` and
`logs_otlp`; `SpanLimits` and `LogLimits` go to `ExporterBuilder::limits` and `log_limits`; a
`Propagator` goes to `Builder::propagator`.

| variable | meaning | default | in code |
|---|---|---|---|
";

const REFUSED: &str = "
## Refused

Each of these asks for what is not there. Setting it is a warning. So are the values `zipkin`, `prometheus` and `logging` of
the exporters, and `jaeger_remote`, `parentbased_jaeger_remote` and `xray` of the sampler.

| variable | why | used instead |
|---|---|---|
";

fn page() -> String {
    let mut page = HEAD.to_owned();
    for variable in variables() {
        let Variable { name, meaning, default, setter, state, .. } = variable;
        let setter = if setter.is_empty() { "–".to_owned() } else { format!("`{setter}`") };
        if !matches!(state, State::Refused { .. }) {
            writeln!(page, "| `{name}` | {} | {default} | {setter} |", meaning.trim()).unwrap();
        }
    }
    page.push_str(REFUSED);
    for variable in variables() {
        if let State::Refused { used, because, .. } = variable.state {
            writeln!(page, "| `{}` | it is {because} | {used} |", variable.name).unwrap();
        }
    }
    page
}
