//! `OTEL_PROPAGATORS`, and what code and `OTEL_SDK_DISABLED` have to say about it.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use throughline::{
    Builder, EdgePolicy,
    core::{Format, Pipeline, Propagator, env::Environment},
    otlp::Signal,
};

const IDS: &str = "80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1";

fn builder(variables: &[(&str, &str)]) -> Builder {
    throughline::builder("orders")
        .environment(Environment::from_pairs(variables.iter().copied()))
        .traces(Signal::Off)
        .metrics(Signal::Off)
        .without_logs()
}

/// The fields that go out when a trace in `b3` and one in `traceparent` come in.
fn passed_on(builder: Builder) -> Vec<String> {
    let telemetry = builder.build().unwrap();
    tracing::dispatcher::with_default(&telemetry.dispatch(), || {
        let pipeline = Pipeline::current();
        let incoming = [
            ("b3", format!("{IDS}-1")),
            ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned()),
        ];
        let incoming = incoming.map(|(name, value)| (name.to_owned(), value)).to_vec();
        let context = pipeline.propagator().extract(&incoming, &EdgePolicy::trust());
        let mut outgoing: Vec<(String, String)> = Vec::new();
        pipeline.propagator().inject(&context, &mut outgoing);
        outgoing.retain(|(name, _)| name != "x-correlation-id");
        outgoing.into_iter().map(|(name, value)| format!("{name}: {value}")).collect()
    })
}

#[test]
fn the_variable_chooses_formats_and_code_beats_it() {
    let w3c = "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned();
    let b3 = format!("b3: {IDS}-1");
    let b3_as_w3c = format!("traceparent: 00-{IDS}-01");
    let w3c_as_b3 = "b3: 0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1".to_owned();
    let in_code = Propagator::default().formats([Format::B3]);
    let renamed = Propagator::default().correlation_header("x-order-id").unwrap();
    for (variable, code, expected) in [
        ("", None, vec![w3c.clone()]),
        ("b3", None, vec![b3.clone()]),
        ("b3,tracecontext", None, vec![b3.clone(), b3_as_w3c]),
        ("tracecontext,B3", None, vec![w3c.clone(), w3c_as_b3]),
        ("zipkin", None, vec![w3c]),
        ("none", None, vec![]),
        ("tracecontext", Some(in_code.clone()), vec![b3.clone()]),
        ("none", Some(in_code), vec![b3.clone()]),
        // Code that says nothing of formats leaves them to the variable.
        ("b3", Some(renamed), vec![b3]),
        ("tracecontext", Some(Propagator::off()), vec![]),
    ] {
        let builder = builder(&[("OTEL_PROPAGATORS", variable)]);
        let builder = match code {
            Some(propagator) => builder.propagator(propagator),
            None => builder,
        };
        let written: Vec<_> =
            passed_on(builder).into_iter().filter(|field| !field.starts_with("x-order-id")).collect();
        assert_eq!(written, expected, "{variable:?}");
    }
}

#[test]
fn propagators_work_on_where_the_sdk_is_disabled() {
    let disabled = builder(&[("OTEL_PROPAGATORS", "b3"), ("OTEL_SDK_DISABLED", "true")]);
    assert_eq!(passed_on(disabled), [format!("b3: {IDS}-1")]);
}

#[test]
fn a_bad_name_is_an_error_only_where_that_is_asked_for() {
    let bad = || builder(&[("OTEL_PROPAGATORS", "tracecontext,ottrace")]);
    assert!(bad().build().is_ok());
    let error = bad().strict_environment().build().unwrap_err().to_string();
    assert!(error.contains(r#"OTEL_PROPAGATORS="tracecontext,ottrace" is a list with "ottrace""#), "{error}");
}
