//! Collector and Jaeger with their files, on free ports of the loopback.

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use tempfile::TempDir;
pub(crate) use tests::retried;
use tests::{COLLECTOR, JAEGER, Server, free_ports, http_get, program};

/// How long a server may take to be healthy.
pub(crate) const START_TIMEOUT: Duration = Duration::from_secs(60);

/// Both programs, for the test called `test`.
pub(crate) fn programs(test: &str) -> Option<(PathBuf, PathBuf)> {
    Some((program(COLLECTOR, test)?, program(JAEGER, test)?))
}

/// A file of `collector-config/`.
pub(crate) fn config(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../collector-config").join(file)
}

/// A Collector with one of our files.
#[derive(Debug)]
pub(crate) struct Collector {
    pub(crate) server: Server,
    pub(crate) grpc_port: u16,
    pub(crate) http_port: u16,
    pub(crate) metrics_port: u16,
    pub(crate) prometheus_port: u16,
    folder: PathBuf,
}

impl Collector {
    /// Starts it with these files, the later on top of the former, in `folder`, where it finds the logs and leaves its
    /// own files; waits until it is healthy.
    pub(crate) fn start(program: &Path, files: &[&str], jaeger_port: u16, folder: &Path) -> Self {
        retried(|| {
            let [grpc_port, http_port, health_port, metrics_port, prometheus_port] = free_ports();
            let mut command = Command::new(program);
            for file in files {
                command.arg("--config").arg(config(file));
            }
            command
                .env("OTLP_GRPC_PORT", grpc_port.to_string())
                .env("OTLP_HTTP_PORT", http_port.to_string())
                .env("HEALTH_PORT", health_port.to_string())
                .env("SELF_METRICS_LEVEL", "normal")
                .env("SELF_METRICS_PORT", metrics_port.to_string())
                .env("JAEGER_ENDPOINT", format!("127.0.0.1:{jaeger_port}"))
                .env("LOG_GLOB", folder.join("logs/*.jsonl"))
                .env("LOG_OUTPUT", folder.join("collector-logs.jsonl"))
                .env("METRICS_OUTPUT", folder.join("collector-metrics.jsonl"))
                .env("METRICS_INTERVAL", "200ms")
                .env("PROMETHEUS_PORT", prometheus_port.to_string())
                .env("SERVICE_GRAPH_TTL", "5s")
                .env("STATE_DIR", folder.join("state"));
            let mut server = Server::start("collector", &mut command, folder);
            server.wait_until("health", START_TIMEOUT, |_| healthy(health_port, "/"))?;
            Ok(Self {
                server,
                grpc_port,
                http_port,
                metrics_port,
                prometheus_port,
                folder: folder.to_owned(),
            })
        })
    }

    /// Where it writes the log records.
    pub(crate) fn log_output(&self) -> PathBuf {
        self.folder.join("collector-logs.jsonl")
    }

    /// Where it writes the metrics.
    pub(crate) fn metrics_output(&self) -> PathBuf {
        self.folder.join("collector-metrics.jsonl")
    }
}

/// Jaeger with our file.
#[derive(Debug)]
pub(crate) struct Jaeger {
    pub(crate) server: Server,
    pub(crate) otlp_port: u16,
    pub(crate) query_port: u16,
}

impl Jaeger {
    pub(crate) fn start(program: &Path, folder: &Path) -> Self {
        retried(|| {
            let [otlp_port, otlp_http_port, health_port, query_port, query_grpc_port] = free_ports();
            let mut command = Command::new(program);
            command
                .arg("--config")
                .arg(config("jaeger.yaml"))
                .env("JAEGER_OTLP_GRPC_PORT", otlp_port.to_string())
                .env("JAEGER_OTLP_HTTP_PORT", otlp_http_port.to_string())
                .env("JAEGER_HEALTH_PORT", health_port.to_string())
                .env("JAEGER_HTTP_PORT", query_port.to_string())
                .env("JAEGER_GRPC_PORT", query_grpc_port.to_string())
                .env("JAEGER_LOG_LEVEL", "info");
            let mut server = Server::start("jaeger", &mut command, folder);
            server.wait_until("health", START_TIMEOUT, |_| healthy(health_port, "/status"))?;
            Ok(Self { server, otlp_port, query_port })
        })
    }
}

/// Both, joined as in the demo.
#[derive(Debug)]
pub(crate) struct Stack {
    pub(crate) collector: Collector,
    pub(crate) jaeger: Jaeger,
    folder: TempDir, // last: it goes when nobody writes into it any more
}

impl Stack {
    /// Starts both; `None` where the test called `test` has to be skipped.
    pub(crate) fn start(test: &str) -> Option<Self> {
        Self::start_with(&["demo.yaml"], test)
    }

    /// The same with these files for the Collector.
    pub(crate) fn start_with(files: &[&str], test: &str) -> Option<Self> {
        let (collector, jaeger) = programs(test)?;
        let folder = tempfile::tempdir().expect("a folder");
        let jaeger = Jaeger::start(&jaeger, folder.path());
        let collector = Collector::start(&collector, files, jaeger.otlp_port, folder.path());
        Some(Self { collector, jaeger, folder })
    }

    /// The folder of this test.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The folder whose log files the Collector reads.
    pub(crate) fn logs(&self) -> PathBuf {
        self.folder().join("logs")
    }
}

fn healthy(port: u16, path: &str) -> Result<(), String> {
    match http_get(port, path) {
        Ok(answer) if answer.status == 200 => Ok(()),
        Ok(answer) => Err(format!("{answer:?}")),
        Err(error) => Err(error.to_string()),
    }
}
