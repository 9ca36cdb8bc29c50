//! What can be chosen about a preset.

use super::Shape;
use crate::{Format, key_names::KeyNames, service::Service};

/// Where the fields of [`Format::Otel`] and [`Format::Gcp`] stand. Of no effect on the other formats.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum FieldPlace {
    /// In an object of their own: `attributes`, or the labels of a log entry, which are strings.
    #[default]
    Grouped,
    /// On the line itself, with their types.
    Flat,
}

/// Whether a line says where in the source it was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum SourceLocation {
    /// It does not.
    #[default]
    LeftOut,
    /// File and line, under the names of the format. Of no effect on [`Format::Console`].
    Written,
}

/// How `dd.trace_id` of [`Format::Datadog`] is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum DatadogIds {
    /// All 128 bits as 32 hexadecimal digits.
    #[default]
    Hex,
    /// The lower 64 bits as a decimal number, for older pipelines.
    Decimal,
}

/// Everything that a line's shape depends on.
#[derive(Clone, Debug, Default)]
pub(crate) struct Options {
    pub(crate) format: Format,
    pub(crate) service: Service,
    pub(crate) names: KeyNames,
    pub(crate) fields: FieldPlace,
    pub(crate) source: SourceLocation,
    pub(crate) gcp_project: Option<String>,
    pub(crate) datadog_ids: DatadogIds,
}

impl Options {
    pub(super) fn has_source(&self) -> bool {
        self.source == SourceLocation::Written
    }

    /// Whether the hand-written way of plain and otel writes what is wanted.
    pub(crate) fn are_usual(&self) -> bool {
        self.names.are_usual() && !self.has_source() && self.fields == FieldPlace::Grouped
    }

    /// The shape of the lines; none for people, who need no parser.
    pub(crate) fn shape(&self) -> Option<Shape> {
        match self.format {
            Format::Plain => Some(super::plain::shape(self)),
            Format::Otel => Some(super::otel::shape(self)),
            Format::Ecs => Some(super::ecs::shape(self)),
            Format::Gcp => Some(super::gcp::shape(self)),
            Format::Datadog => Some(super::datadog::shape(self)),
            Format::OtlpJson => Some(super::otlp_json::shape(self)),
            Format::Console => None,
        }
    }
}
