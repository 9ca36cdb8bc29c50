//! One item of what was exported, against the registry.

use std::collections::BTreeSet;

use throughline_testing::collector::{
    AttributeValue, Attributes, LogRecord, Metric, MetricKind, PointValue, Resource, Span,
};

use crate::{
    conditions::{self, Due},
    groups,
    registry::{Definition, Registry, levels},
};

/// Values of enumerations that are not listed, and are right: systems and failures of which the conventions know nothing.
const CUSTOM_VALUES: [(&str, &str); 4] = [
    ("messaging.system", "in_process"),
    ("messaging.system", "mqtt"),
    ("messaging.system", "outbox"),
    ("error.type", "*"),
];

/// The bounds of durations, as the conventions for HTTP, messaging and RPC have them.
const DURATION_BOUNDS: [f64; 14] =
    [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0];
/// Those of databases.
const DATABASE_BOUNDS: [f64; 9] = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0];
/// Of durations that an outage may stretch to hours, which the conventions don't know.
const QUEUE_TIME: &str = "throughline.outbox.queue_time";

/// What attributes have in their names that are not the application's own; those are no business of these tests.
const NAMESPACE: &str = ".";

pub(crate) struct Judge<'a> {
    registry: &'a Registry,
    /// Each once, however often it was made.
    pub(crate) problems: BTreeSet<String>,
}

impl<'a> Judge<'a> {
    pub(crate) fn new(registry: &'a Registry) -> Self {
        Self { registry, problems: BTreeSet::new() }
    }

    pub(crate) fn span(&mut self, span: &Span) {
        let place = format!("span {:?}", span.name);
        self.attributes(&place, &span.attributes);
        for event in &span.events {
            self.attributes(&format!("{place}, event {:?}", event.name), &event.attributes);
        }
        for link in &span.links {
            self.attributes(&format!("{place}, link"), &link.attributes);
        }
        let Some(id) = groups::of(span) else { return };
        let place = format!("{place} ({id})");
        let name = groups::name_of(id, span);
        if span.name != name {
            self.problem(&place, &format!("the name is {:?}, not {name:?}", span.name));
        }
        let group = self.registry.span(id);
        for (attribute, level) in &group {
            self.presence(&place, span, attribute, level);
        }
        self.belonging(&place, id, &span.attributes, &group);
    }

    pub(crate) fn metric(&mut self, metric: &Metric) {
        let place = format!("metric {:?}", metric.name);
        let registry = self.registry;
        let Some(known) = registry.metric(&metric.name) else {
            self.problem(&place, "is registered nowhere");
            return;
        };
        if known.get("deprecated").is_some() {
            self.problem(&place, "is deprecated");
        }
        if known["unit"] != metric.unit.as_str() {
            self.problem(&place, &format!("the unit is {:?}, not {}", metric.unit, known["unit"]));
        }
        let instrument = instrument(metric);
        if known["instrument"] != instrument {
            self.problem(&place, &format!("the instrument is a {instrument}, not a {}", known["instrument"]));
        }
        let group = levels(known);
        for point in &metric.points {
            self.attributes(&place, &point.attributes);
            self.belonging(&place, &metric.name, &point.attributes, &group);
            for (attribute, level) in &group {
                if *level == "required" && point.attributes.get(attribute).is_none() {
                    self.problem(&place, &format!("{attribute} is required"));
                }
            }
            if let PointValue::Histogram { bounds, .. } = &point.value
                && metric.unit == "s"
                && metric.name != QUEUE_TIME
                && *bounds != bounds_of(&metric.name)
            {
                self.problem(&place, &format!("the bounds are {bounds:?}"));
            }
        }
    }

    pub(crate) fn log_record(&mut self, record: &LogRecord) {
        self.attributes(&format!("log record {:?}", record.body.to_string()), &record.attributes);
    }

    /// A JSON line: its fields are the attributes of the spans around it and the line's own.
    pub(crate) fn line(&mut self, line: &serde_json::Value) {
        let place = format!("log line {}", line["message"]);
        for (key, value) in line.as_object().unwrap() {
            let value = match value {
                serde_json::Value::String(text) => AttributeValue::from(text.as_str()),
                serde_json::Value::Bool(truth) => (*truth).into(),
                serde_json::Value::Number(number) if number.is_i64() => number.as_i64().unwrap().into(),
                _ => continue,
            };
            if key.contains(NAMESPACE) {
                self.attribute(&place, key, &value);
            }
        }
    }

    pub(crate) fn resource(&mut self, resource: &Resource) {
        self.attributes("resource", &resource.attributes);
        for entity in ["service", "service.instance", "telemetry.sdk", "telemetry.distro"] {
            for (attribute, level) in self.registry.entity(entity) {
                if level == "required" && resource.attributes.get(attribute).is_none() {
                    self.problem("resource", &format!("{attribute} is required"));
                }
            }
        }
        if resource.schema_url != throughline_core::semconv::SCHEMA_URL {
            self.problem("resource", &format!("the schema is {:?}", resource.schema_url));
        }
    }

    fn attributes(&mut self, place: &str, attributes: &Attributes) {
        let mut seen = BTreeSet::new();
        for (name, value) in attributes.iter() {
            if !seen.insert(name) {
                self.problem(place, &format!("{name} is there twice"));
            }
            if name.contains(NAMESPACE) || self.registry.attribute(name).is_some_and(|one| one.is_ours) {
                self.attribute(place, name, value);
            }
        }
    }

    fn attribute(&mut self, place: &str, name: &str, value: &AttributeValue) {
        let registry = self.registry;
        let Some(definition) = registry.attribute(name) else {
            self.problem(place, &format!("{name} is registered nowhere"));
            return;
        };
        if definition.is_deprecated {
            self.problem(place, &format!("{name} is deprecated"));
        }
        if let Some(problem) = definition.problem_of(value).filter(|_| !is_custom(name, definition, value)) {
            self.problem(place, &format!("{name} {problem}"));
        }
        if *value == AttributeValue::Empty || *value == *"" {
            self.problem(place, &format!("{name} is empty: what is absent is left out"));
        }
    }

    fn presence(&mut self, place: &str, span: &Span, attribute: &str, level: &str) {
        let is_there = span.attribute(attribute).is_some();
        let problem = match level {
            "required" if !is_there => format!("{attribute} is required"),
            "conditionally_required" => match conditions::due(attribute, span) {
                None => format!("{attribute} has a condition that nobody has taught these tests"),
                Some(Due::Yes) if !is_there => format!("{attribute} is due here"),
                Some(Due::No) if is_there => format!("{attribute} is there, and should not be"),
                Some(_) => return,
            },
            _ => return,
        };
        self.problem(place, &problem);
    }

    /// What isn't in the group has to be ours, or one of the few that are known to be more than it asks for.
    fn belonging(&mut self, place: &str, id: &str, attributes: &Attributes, group: &[(&str, &str)]) {
        for (name, _) in attributes.iter().filter(|(name, _)| name.contains(NAMESPACE)) {
            let name = self.registry.template_of(name).unwrap_or(name);
            let is_listed = group.iter().any(|(listed, _)| *listed == name);
            let is_ours = self.registry.attribute(name).is_none_or(|definition| definition.is_ours);
            let is_extra =
                groups::EXTRAS.iter().any(|(prefix, extra)| id.starts_with(prefix) && name == *extra);
            if !is_listed && !is_ours && !is_extra {
                self.problem(place, &format!("{name} doesn't belong on {id}"));
            }
        }
    }

    fn problem(&mut self, place: &str, problem: &str) {
        self.problems.insert(format!("{place}: {problem}"));
    }
}

fn bounds_of(metric: &str) -> &'static [f64] {
    if metric.starts_with("db.") { &DATABASE_BOUNDS } else { &DURATION_BOUNDS }
}

fn is_custom(name: &str, definition: &Definition, value: &AttributeValue) -> bool {
    let text = value.as_str();
    !definition.is_ours
        && text.is_some()
        && CUSTOM_VALUES.iter().any(|(key, custom)| *key == name && (*custom == "*" || Some(*custom) == text))
}

fn instrument(metric: &Metric) -> &'static str {
    match metric.kind {
        MetricKind::Histogram | MetricKind::ExponentialHistogram => "histogram",
        MetricKind::Sum if metric.monotonic => "counter",
        MetricKind::Sum => "updowncounter",
        MetricKind::Gauge => "gauge",
        _ => "something else",
    }
}
