//! Lines of every kind against the published schemas, and ECS against the specification of ECS logging.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails where a helper of it does")]

mod support;

use std::{fs, path::Path};

use boon::{Compiler, Schemas};
use serde_json::Value;
use support::{all_kinds, lines, parsed};
use throughline_logs::{DatadogIds, FieldPlace, Format, JsonLayerBuilder, SourceLocation};

const JSON: [Format; 6] =
    [Format::Plain, Format::Otel, Format::Ecs, Format::Gcp, Format::Datadog, Format::OtlpJson];

fn read(path: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// Says for each line what is wrong with it.
fn problems(format: Format, lines: &[String]) -> Vec<String> {
    let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
    compiler.add_resource("schema.json", read(&format!("schemas/{format}.json"))).unwrap();
    let schema = compiler.compile("schema.json", &mut schemas).unwrap();
    let check = |line: &String| {
        let value = parsed(line);
        let result = schemas.validate(&value, schema).map_err(|error| format!("{error}\n{line}"));
        result.err()
    };
    lines.iter().filter_map(check).collect()
}

/// The settings under which a preset looks different.
fn settings() -> [fn(JsonLayerBuilder) -> JsonLayerBuilder; 4] {
    [
        |builder| builder,
        |builder| {
            builder
                .service_version("1")
                .service_environment("e")
                .service_instance("i")
                .host("h")
                .gcp_project("p")
        },
        |builder| {
            let builder = builder.field_place(FieldPlace::Flat).datadog_ids(DatadogIds::Decimal);
            builder.source_location(SourceLocation::Written)
        },
        |builder| builder.field_bytes_max(20).fields_max(4),
    ]
}

#[test]
fn lines_of_every_kind_fit_the_schema_of_their_preset() {
    for format in JSON {
        for set in settings() {
            let written = lines(|builder| set(builder.format(format)), all_kinds);
            assert!(written.len() > 15);
            let problems = problems(format, &written);
            assert!(problems.is_empty(), "{format}: {}", problems.join("\n"));
        }
    }
}

#[test]
fn lines_of_another_preset_do_not_fit() {
    for (format, other) in JSON.iter().zip(JSON.iter().cycle().skip(1)) {
        let written = lines(|builder| builder.format(*other), all_kinds);
        assert_eq!(problems(*format, &written).len(), written.len(), "{format} takes {other}");
    }
}

#[test]
fn ecs_lines_follow_the_specification_of_ecs_logging() {
    let spec = read("tests/data/ecs-logging-spec.json");
    let fields = spec["fields"].as_object().unwrap();
    for set in settings() {
        for line in lines(|builder| set(builder.format(Format::Ecs)), all_kinds) {
            let object = parsed(&line);
            let object = object.as_object().unwrap();
            // serde_json sorts keys: their order on the line is where they stand in its text.
            let place = |key: &str| line.find(&format!("\"{key}\":"));
            let mut keys: Vec<_> = object.keys().map(|key| (place(key).unwrap(), key.as_str())).collect();
            keys.sort_unstable();
            let indexed = keys.iter().filter_map(|(_, key)| fields.get(*key)?["index"].as_u64());
            assert!(indexed.is_sorted(), "{line}");
            assert!(line.starts_with("{\"@timestamp\":\"") && keys[1].1 == "log.level", "{line}");
            for (name, field) in fields {
                if field["required"] == true {
                    assert!(object.contains_key(name), "{name} is required: {line}");
                }
                if field["top_level_field"] == true {
                    assert!(object.get(name).is_some_and(|value| !value.is_object()), "{name}: {line}");
                }
                let is_as_specified = |value: &Value| match field["type"].as_str().unwrap() {
                    "integer" => value.is_u64(),
                    "object" => value.is_object(),
                    "string" | "datetime" => value.is_string(),
                    other => panic!("a type that is not known here: {other}"),
                };
                assert!(object.get(name).is_none_or(is_as_specified), "{name}: {line}");
            }
            assert_eq!(object["event.dataset"], object["service.name"]);
            check_labels(object.get("labels"), &fields["labels"]);
        }
    }
}

fn check_labels(labels: Option<&Value>, spec: &Value) {
    let Some(labels) = labels else { return };
    let replaced = spec["sanitization"]["key"]["replacements"].as_array().unwrap();
    for (key, value) in labels.as_object().unwrap() {
        assert!(value.is_string(), "{key}");
        assert!(replaced.iter().all(|part| !key.contains(part.as_str().unwrap())), "{key}");
    }
}
