//! What can be found out about the place where a program runs.

use std::{env::consts, fs, path::Path};

use throughline_core::{env, env::Environment, semconv::resource as names};

/// Finds attributes of the resource; see
/// [`ExporterBuilder::resource_detectors`](crate::ExporterBuilder::resource_detectors).
///
/// Each reads a few small files once, when the exporter is built. What is not there to be found is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Detector {
    /// `process.pid` and `process.executable.name`. Never the command line, which may hold secrets.
    Process,
    /// `host.name`, `host.id` and `host.arch`.
    Host,
    /// `os.type`, `os.name` and `os.version`.
    Os,
    /// `container.id`.
    Container,
    /// `k8s.*` from the variables `K8S_POD_NAME` and its like, which a pod gets by the downward API.
    K8s,
}

impl Detector {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Process, Self::Host, Self::Os, Self::Container, Self::K8s];

    /// What it finds.
    pub(crate) fn detect(self, environment: &Environment) -> Vec<(&'static str, String)> {
        let found = match self {
            Self::Process => vec![
                (names::PROCESS_PID, Some(std::process::id().to_string())),
                (names::PROCESS_EXECUTABLE_NAME, executable()),
            ],
            Self::Host => vec![
                (names::HOST_NAME, line("/proc/sys/kernel/hostname").or_else(|| line("/etc/hostname"))),
                (names::HOST_ID, line("/etc/machine-id")),
                (names::HOST_ARCH, Some(arch(consts::ARCH).to_owned())),
            ],
            Self::Os => os(&fs::read_to_string("/etc/os-release").unwrap_or_default()),
            Self::Container => {
                let files = ["/proc/self/cgroup", "/proc/self/mountinfo"].map(fs::read_to_string);
                let id = files.iter().flatten().find_map(|text| container_id(text));
                vec![(names::CONTAINER_ID, id.map(str::to_owned))]
            }
            Self::K8s => K8S
                .iter()
                .map(|(variable, name)| (*name, environment.get(variable).map(str::to_owned)))
                .collect(),
        };
        found.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
    }
}

const K8S: [(&str, &str); 7] = [
    (env::K8S_CLUSTER_NAME, names::K8S_CLUSTER_NAME),
    (env::K8S_NAMESPACE_NAME, names::K8S_NAMESPACE_NAME),
    (env::K8S_NODE_NAME, names::K8S_NODE_NAME),
    (env::K8S_POD_NAME, names::K8S_POD_NAME),
    (env::K8S_POD_UID, names::K8S_POD_UID),
    (env::K8S_CONTAINER_NAME, names::K8S_CONTAINER_NAME),
    (env::K8S_DEPLOYMENT_NAME, names::K8S_DEPLOYMENT_NAME),
];

fn executable() -> Option<String> {
    let path = std::env::current_exe().ok()?;
    Some(path.file_name()?.to_string_lossy().into_owned())
}

/// The one line of a file.
fn line(path: impl AsRef<Path>) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

/// What the conventions call an architecture.
fn arch(rust: &str) -> &str {
    match rust {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        "arm" => "arm32",
        "powerpc" => "ppc32",
        "powerpc64" => "ppc64",
        other => other,
    }
}

fn os(release: &str) -> Vec<(&'static str, Option<String>)> {
    let field = |name: &str| {
        let values = release.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix('='));
        values.map(|value| value.trim_matches('"').to_owned()).next()
    };
    let kind = if consts::OS == "macos" { "darwin" } else { consts::OS };
    vec![
        (names::OS_TYPE, Some(kind.to_owned())),
        (names::OS_NAME, field("NAME")),
        (names::OS_VERSION, field("VERSION_ID")),
    ]
}

/// The id in a path below `containers`, `docker` and others: 64 hexadecimal digits that stand alone.
fn container_id(text: &str) -> Option<&str> {
    const LEN: usize = 64;
    let words = text.split(|letter: char| !letter.is_ascii_alphanumeric());
    words.filter(|word| word.len() == LEN).find(|word| word.bytes().all(|digit| digit.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_container_is_known_by_64_hexadecimal_digits() {
        let id = "a1".repeat(32);
        for (text, found) in [
            (format!("12:cpu:/docker/{id}"), true),
            (format!("0::/kubepods.slice/cri-containerd-{id}.scope\n"), true),
            (format!("7 6 8:1 /var/lib/docker/containers/{id}/hostname /etc/hostname rw"), true),
            (format!("12:cpu:/docker/{id}0"), false),
            (format!("12:cpu:/docker/{}", "g1".repeat(32)), false),
            ("0::/\n".to_owned(), false),
        ] {
            assert_eq!(container_id(&text), found.then_some(id.as_str()), "{text}");
        }
    }

    #[test]
    fn what_is_not_there_is_left_out() {
        assert_eq!(Detector::K8s.detect(&Environment::default()), []);
        let environment = Environment::from_pairs([(env::K8S_POD_NAME, "orders-1")]);
        assert_eq!(Detector::K8s.detect(&environment), [("k8s.pod.name", "orders-1".to_owned())]);
        let os: Vec<_> = os("NAME=\"Debian GNU/Linux\"\nVERSION_ID=\"12\"\n").into_iter().skip(1).collect();
        let texts = [("os.name", "Debian GNU/Linux"), ("os.version", "12")];
        assert_eq!(os, texts.map(|(name, text)| (name, Some(text.to_owned()))));
    }
}
