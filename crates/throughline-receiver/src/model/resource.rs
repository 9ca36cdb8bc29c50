//! Who sent it, and with which library.

use std::sync::Arc;

use opentelemetry_proto::tonic::{common::v1::InstrumentationScope, resource::v1::Resource as ProtoResource};

use super::{AttributeValue, Attributes};

/// Who sent it: the attributes of the process that the telemetry is about.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Resource {
    /// `service.name` and the like.
    pub attributes: Attributes,
    /// How many attributes the sender left out.
    pub dropped_attributes_count: u32,
    /// The version of the naming rules that the attributes follow; empty if none was sent.
    pub schema_url: String,
}

impl Resource {
    /// The service's name; empty if none was sent.
    #[must_use]
    pub fn service(&self) -> &str {
        self.attributes.get("service.name").and_then(AttributeValue::as_str).unwrap_or_default()
    }

    pub(super) fn from_proto(resource: Option<ProtoResource>, schema_url: String) -> Arc<Self> {
        let resource = resource.unwrap_or_default();
        Arc::new(Self {
            attributes: Attributes::from_proto(resource.attributes),
            dropped_attributes_count: resource.dropped_attributes_count,
            schema_url,
        })
    }
}

/// Which library made it.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Scope {
    /// The library's name.
    pub name: String,
    /// The library's version; empty if none was sent.
    pub version: String,
    /// What else the sender says about the library.
    pub attributes: Attributes,
    /// The version of the naming rules that this library's telemetry follows; empty if none was sent.
    pub schema_url: String,
}

impl Scope {
    pub(super) fn from_proto(scope: Option<InstrumentationScope>, schema_url: String) -> Arc<Self> {
        let scope = scope.unwrap_or_default();
        Arc::new(Self {
            name: scope.name,
            version: scope.version,
            attributes: Attributes::from_proto(scope.attributes),
            schema_url,
        })
    }
}
