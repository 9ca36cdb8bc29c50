//! The conventions, and the names that are our own.

use std::collections::HashMap;

use serde_json::Value;
use throughline_testing::collector::AttributeValue;

/// The one and the other, by name.
pub(crate) struct Registry {
    conventions: Value,
    own: Value,
    attributes: HashMap<String, Definition>,
}

/// What is known of an attribute.
#[derive(Debug)]
pub(crate) struct Definition {
    kind: Kind,
    members: Option<Vec<Value>>,
    pub(crate) is_deprecated: bool,
    /// Used as `name.<key>`.
    is_template: bool,
    pub(crate) is_ours: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Text,
    Int,
    Double,
    Boolean,
    Texts,
    Ints,
    Any,
}

impl Registry {
    pub(crate) fn load() -> Self {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/data/semconv-1.44.0.json");
        let own = concat!(env!("CARGO_MANIFEST_DIR"), "/../crates/throughline-core/semconv/own.json");
        let read = |path| serde_json::from_slice::<Value>(&std::fs::read(path).unwrap()).unwrap();
        let (conventions, own) = (read(folder), read(own));
        let of = |file: &Value, is_ours| {
            let list = file["attributes"].as_array().unwrap().clone();
            list.into_iter().map(move |one| (text(&one["name"]), Definition::read(&one, is_ours)))
        };
        let attributes = of(&conventions, false).chain(of(&own, true)).collect();
        Self { conventions, own, attributes }
    }

    /// The definition of an attribute, which may be that of a template.
    pub(crate) fn attribute(&self, name: &str) -> Option<&Definition> {
        if let Some(definition) = self.attributes.get(name) {
            return Some(definition).filter(|definition| !definition.is_template);
        }
        self.attributes.get(self.template_of(name)?)
    }

    /// The template that a name is made from: `http.request.header` for `http.request.header.accept`.
    pub(crate) fn template_of<'a>(&self, name: &'a str) -> Option<&'a str> {
        let mut prefixes = name.rmatch_indices('.').filter_map(|(at, _)| name.get(..at));
        prefixes.find(|prefix| self.attributes.get(*prefix).is_some_and(|one| one.is_template))
    }

    pub(crate) fn own_names(&self) -> impl Iterator<Item = &str> {
        let mut names: Vec<_> =
            self.attributes.iter().filter(|(_, one)| one.is_ours).map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        names.into_iter()
    }

    /// The attributes of a span, as name and level.
    pub(crate) fn span(&self, id: &str) -> Vec<(&str, &str)> {
        let mut attributes = levels(self.one_of("spans", "id", id).unwrap_or_else(|| panic!("no span {id}")));
        // Of one system, the conventions give its name in words, and not in the list.
        if id.starts_with("rpc.") && !id.starts_with("rpc.call.") {
            attributes.push(("rpc.system.name", "required"));
        }
        if id.starts_with("db.") {
            attributes.push(("db.system.name", "required"));
        }
        attributes
    }

    /// A metric of the conventions or of ours.
    pub(crate) fn metric(&self, name: &str) -> Option<&Value> {
        let ours = || self.own["metrics"].as_array()?.iter().find(|one| one["name"] == name);
        self.one_of("metrics", "name", name).or_else(ours)
    }

    /// The attributes of the resource that an entity identifies itself and says more with.
    pub(crate) fn entity(&self, name: &str) -> Vec<(&str, &str)> {
        let entity = self.one_of("entities", "type", name).unwrap();
        let lists = [&entity["identity"], &entity["description"]];
        lists.into_iter().filter_map(Value::as_array).flatten().map(level).collect()
    }

    fn one_of(&self, list: &str, key: &str, wanted: &str) -> Option<&Value> {
        self.conventions[list].as_array()?.iter().find(|one| one[key] == wanted)
    }
}

/// The attributes of a span or a metric, as name and level.
pub(crate) fn levels(group: &Value) -> Vec<(&str, &str)> {
    group["attributes"].as_array().unwrap().iter().map(level).collect()
}

fn level(attribute: &Value) -> (&str, &str) {
    (attribute["ref"].as_str().unwrap(), attribute["level"].as_str().unwrap())
}

impl Definition {
    fn read(attribute: &Value, is_ours: bool) -> Self {
        let kind = &attribute["type"];
        let name = kind["enum"].as_str().or(kind.as_str()).unwrap();
        let (name, is_template) = match name.strip_prefix("template[") {
            Some(inner) => (inner.strip_suffix(']').unwrap(), true),
            None => (name, false),
        };
        let value_of = |member: &Value| member.get("value").unwrap_or(member).clone();
        Self {
            kind: match name {
                "string" => Kind::Text,
                "int" => Kind::Int,
                "double" => Kind::Double,
                "boolean" => Kind::Boolean,
                "string[]" => Kind::Texts,
                "int[]" => Kind::Ints,
                "any" => Kind::Any,
                other => panic!("a type {other} is new here"),
            },
            members: kind["members"].as_array().map(|members| members.iter().map(value_of).collect()),
            is_deprecated: attribute.get("deprecated").is_some(),
            is_template,
            is_ours,
        }
    }

    /// What is wrong with this value, if anything is.
    pub(crate) fn problem_of(&self, value: &AttributeValue) -> Option<String> {
        let fits = match (self.kind, value) {
            (Kind::Any, _)
            | (Kind::Text, AttributeValue::String(_))
            | (Kind::Int, AttributeValue::Int(_))
            | (Kind::Double, AttributeValue::Double(_))
            | (Kind::Boolean, AttributeValue::Bool(_)) => true,
            (Kind::Texts, AttributeValue::Array(list)) => list.iter().all(|one| one.as_str().is_some()),
            (Kind::Ints, AttributeValue::Array(list)) => list.iter().all(|one| one.as_i64().is_some()),
            _ => false,
        };
        if !fits {
            return Some(format!("is {:?}, not of type {}", value.to_string(), self.kind.name()));
        }
        let is_member = |members: &Vec<Value>| {
            members.iter().any(|one| match value {
                AttributeValue::String(text) => one.as_str() == Some(text),
                AttributeValue::Int(number) => one.as_i64() == Some(*number),
                _ => false,
            })
        };
        let is_allowed = self.members.as_ref().is_none_or(is_member);
        (!is_allowed).then(|| format!("has no member {:?}", value.to_string()))
    }
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::Text => "string",
            Self::Int => "int",
            Self::Double => "double",
            Self::Boolean => "boolean",
            Self::Texts => "string[]",
            Self::Ints => "int[]",
            Self::Any => "any",
        }
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}
