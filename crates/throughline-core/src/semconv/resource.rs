//! Names of a resource's attributes: who sends.

super::names! {
    /// `service.name`: the service.
    SERVICE_NAME = "service.name",
    /// `service.namespace`: the system that the service is part of.
    SERVICE_NAMESPACE = "service.namespace",
    /// `service.version`: the version of the service.
    SERVICE_VERSION = "service.version",
    /// `service.instance.id`: this instance of it.
    SERVICE_INSTANCE_ID = "service.instance.id",
    /// `deployment.environment.name`: `production`, `staging`, …
    DEPLOYMENT_ENVIRONMENT_NAME = "deployment.environment.name",
    /// `telemetry.sdk.name`: what made the telemetry.
    TELEMETRY_SDK_NAME = "telemetry.sdk.name",
    /// `telemetry.sdk.language`: `rust`.
    TELEMETRY_SDK_LANGUAGE = "telemetry.sdk.language",
    /// `telemetry.sdk.version`: the version of what made the telemetry.
    TELEMETRY_SDK_VERSION = "telemetry.sdk.version",
    /// `telemetry.distro.name`: what packages it: throughline.
    TELEMETRY_DISTRO_NAME = "telemetry.distro.name",
    /// `telemetry.distro.version`: the version of throughline.
    TELEMETRY_DISTRO_VERSION = "telemetry.distro.version",
    /// `process.pid`: the process.
    PROCESS_PID = "process.pid",
    /// `process.executable.name`: the file that the process runs.
    PROCESS_EXECUTABLE_NAME = "process.executable.name",
    /// `host.name`: the host.
    HOST_NAME = "host.name",
}
