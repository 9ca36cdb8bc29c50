//! Who writes the lines.

use crate::foreign;

/// What the presets say about the service, as far as it is known.
#[derive(Clone, Debug, Default)]
pub(crate) struct Service {
    pub(crate) name: String,
    pub(crate) version: Option<String>,
    pub(crate) environment: Option<String>,
    pub(crate) instance: Option<String>,
    pub(crate) host: Option<String>,
}

/// The most bytes of a version, an environment, an instance or a host.
const PART_BYTES_MAX: usize = 64;
/// The most bytes of a name.
const SHORT_NAME_BYTES_MAX: usize = 128;

impl Service {
    /// The same, short and without control characters: it stands on every line, some of it more than once.
    pub(crate) fn trimmed(&self) -> Self {
        let part = |text: &Option<String>| text.as_deref().map(|text| short(text, PART_BYTES_MAX));
        Self {
            name: short(&self.name, SHORT_NAME_BYTES_MAX),
            version: part(&self.version),
            environment: part(&self.environment),
            instance: part(&self.instance),
            host: part(&self.host),
        }
    }
}

fn short(text: &str, bytes: usize) -> String {
    foreign::before(text, bytes).chars().filter(|character| !character.is_control()).collect()
}
