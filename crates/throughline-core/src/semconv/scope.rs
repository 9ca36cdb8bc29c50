//! Names of the instrumentation scope, where it has to be told by attributes.

super::names! {
    /// `otel.scope.name`: the name of the tracer that made a span.
    OTEL_SCOPE_NAME = "otel.scope.name",
    /// `otel.scope.version`: its version.
    OTEL_SCOPE_VERSION = "otel.scope.version",
}
