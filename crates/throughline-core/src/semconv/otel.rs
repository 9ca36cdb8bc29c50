//! Names of the telemetry about telemetry.

super::names! {
    /// `otel.component.name`: which part of the pipeline, `<type>/<number>`.
    OTEL_COMPONENT_NAME = "otel.component.name",
    /// `otel.component.type`: what kind of part it is.
    OTEL_COMPONENT_TYPE = "otel.component.type",
}
