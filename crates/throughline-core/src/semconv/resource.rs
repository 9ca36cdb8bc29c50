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
    /// `host.id`: the host, for ever.
    HOST_ID = "host.id",
    /// `host.arch`: its processor.
    HOST_ARCH = "host.arch",
    /// `os.type`: `linux`, `darwin`, …
    OS_TYPE = "os.type",
    /// `os.name`: the operating system for people.
    OS_NAME = "os.name",
    /// `os.version`: its version.
    OS_VERSION = "os.version",
    /// `container.id`: the container.
    CONTAINER_ID = "container.id",
    /// `k8s.cluster.name`: the cluster.
    K8S_CLUSTER_NAME = "k8s.cluster.name",
    /// `k8s.namespace.name`: the namespace of the pod.
    K8S_NAMESPACE_NAME = "k8s.namespace.name",
    /// `k8s.node.name`: the node that the pod runs on.
    K8S_NODE_NAME = "k8s.node.name",
    /// `k8s.pod.name`: the pod.
    K8S_POD_NAME = "k8s.pod.name",
    /// `k8s.pod.uid`: the pod, unique.
    K8S_POD_UID = "k8s.pod.uid",
    /// `k8s.container.name`: the container within the pod.
    K8S_CONTAINER_NAME = "k8s.container.name",
    /// `k8s.deployment.name`: the deployment that the pod belongs to.
    K8S_DEPLOYMENT_NAME = "k8s.deployment.name",
}
