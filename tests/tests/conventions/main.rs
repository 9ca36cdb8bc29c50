//! Everything that the crates export, against the semantic conventions 1.44.0 and the registry of our own names.
//!
//! Real traffic over HTTP, gRPC, channels, MQTT and SQL goes through the whole pipeline into a receiver; then each span, metric, log
//! record and resource that arrived is judged: is every name registered and not deprecated, does every value have the type that
//! is registered and, in an enumeration, a value that is, is everything there that the conventions require of such a span, and
//! nothing that they require to be absent.
//!
//! A new attribute of a crate has to be in the conventions or in `crates/throughline-core/semconv/own.json`, and some traffic
//! here should show it.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

mod conditions; // when what is conditionally required is due
mod groups; // which kind of span of the conventions a span is
mod judge; // one item against the registry
mod observed; // the traffic, once for all tests, and what came of it
mod registry; // the conventions and our own names
mod traffic; // what the services of these tests do

use std::collections::BTreeSet;

use crate::{judge::Judge, observed::observed, registry::Registry};

fn assert_flawless(problems: &BTreeSet<String>) {
    assert!(problems.is_empty(), "\n{}", problems.iter().cloned().collect::<Vec<_>>().join("\n"));
}

#[test]
fn every_span_is_as_the_conventions_have_it() {
    let registry = Registry::load();
    let mut judge = Judge::new(&registry);
    observed().spans.iter().for_each(|span| judge.span(span));
    assert_flawless(&judge.problems);
}

#[test]
fn every_metric_is_as_the_conventions_have_it() {
    let registry = Registry::load();
    let mut judge = Judge::new(&registry);
    observed().metrics.iter().for_each(|metric| judge.metric(metric));
    assert_flawless(&judge.problems);
}

#[test]
fn every_log_record_and_every_line_uses_registered_names() {
    let registry = Registry::load();
    let mut judge = Judge::new(&registry);
    observed().logs.iter().for_each(|record| judge.log_record(record));
    assert!(!observed().logs.is_empty() && !observed().lines.is_empty());
    observed().lines.iter().for_each(|line| judge.line(line));
    assert_flawless(&judge.problems);
}

#[test]
fn the_resource_is_as_the_conventions_have_it() {
    let registry = Registry::load();
    let mut judge = Judge::new(&registry);
    let observed = observed();
    let of_spans = observed.spans.iter().map(|span| &span.resource);
    let of_metrics = observed.metrics.iter().map(|metric| &metric.resource);
    let of_logs = observed.logs.iter().map(|record| &record.resource);
    for resource in of_spans.chain(of_metrics).chain(of_logs) {
        judge.resource(resource);
    }
    assert_flawless(&judge.problems);
}

/// What these tests don't see they don't judge.
#[test]
fn every_kind_of_span_and_every_metric_was_seen() {
    let mut seen: BTreeSet<_> = observed().spans.iter().filter_map(|span| groups::of(span)).collect();
    let missing: Vec<_> = groups::IDS.iter().filter(|id| !seen.remove(**id)).collect();
    assert!(missing.is_empty(), "no span of {missing:?}");

    let exported: BTreeSet<_> = observed().metrics.iter().map(|metric| metric.name.as_str()).collect();
    let wanted = throughline_core::Metric::ALL.map(|metric| metric.instrument().name);
    let missing: Vec<_> = wanted.iter().filter(|name| !exported.contains(*name)).collect();
    assert!(missing.is_empty(), "no metric {missing:?}");

    let registry = Registry::load();
    let written: BTreeSet<&str> = observed().attribute_names();
    let never: Vec<_> = registry.own_names().filter(|name| !written.contains(name)).collect();
    assert_eq!(never, NOT_PROVOKED, "names of our own that no traffic showed");
}

/// Names of our own that the traffic here can't bring about: another test of their crate does.
const NOT_PROVOKED: [&str; 1] = ["throughline.messaging.redelivered"];

/// The judge itself finds what it is there for.
mod the_judge {
    use throughline_testing::collector::{AttributeValue, Span, SpanKind, Status};

    use super::*;

    fn problems_of(change: impl FnOnce(&mut Vec<(&'static str, AttributeValue)>, &mut Span)) -> Vec<String> {
        let mut attributes: Vec<(&'static str, AttributeValue)> = vec![
            ("http.request.method", "GET".into()),
            ("url.scheme", "http".into()),
            ("url.path", "/orders/7".into()),
            ("http.route", "/orders/{id}".into()),
            ("http.response.status_code", 200.into()),
            ("throughline.http.end", "complete".into()),
        ];
        let mut span = Span::default();
        (span.name, span.kind) = ("GET /orders/{id}".to_owned(), SpanKind::Server);
        change(&mut attributes, &mut span);
        span.attributes = attributes.into_iter().collect();
        let registry = Registry::load();
        let mut judge = Judge::new(&registry);
        judge.span(&span);
        judge.problems.into_iter().collect()
    }

    #[test]
    fn finds_nothing_where_nothing_is_wrong() {
        assert_eq!(problems_of(|_, _| {}), [""; 0]);
    }

    #[test]
    fn finds_each_kind_of_mistake() {
        type Change = fn(&mut Vec<(&'static str, AttributeValue)>, &mut Span);
        let cases: [(Change, &str); 12] = [
            (|all, _| all.push(("http.method", "GET".into())), "http.method is deprecated"),
            (|all, _| all.push(("http.statuscode", 200.into())), "http.statuscode is registered nowhere"),
            (|all, _| all[4].1 = "200".into(), "http.response.status_code is \"200\", not of type int"),
            (|all, _| all[0].1 = "BREW".into(), "http.request.method has no member \"BREW\""),
            (|all, _| all[5].1 = "well".into(), "throughline.http.end has no member \"well\""),
            (|all, _| all.push(("server.port", 80.into())), "server.port is there, and should not be"),
            (|all, _| drop(all.remove(2)), "url.path is required"),
            (|all, _| drop(all.remove(4)), "http.response.status_code is due here"),
            (|all, _| drop(all.remove(3)), "the name is \"GET /orders/{id}\", not \"GET\""),
            (|all, _| all.push(("url.scheme", "http".into())), "url.scheme is there twice"),
            (|all, _| all.push(("db.namespace", "x".into())), "db.namespace doesn't belong on http.server"),
            (|_, span| span.status = Status::Error { message: String::new() }, "error.type is due here"),
        ];
        for (change, expected) in cases {
            let problems = problems_of(change);
            assert!(problems.iter().any(|problem| problem.ends_with(expected)), "{expected}: {problems:?}");
        }
    }
}
