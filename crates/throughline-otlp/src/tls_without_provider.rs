//! In place of TLS where no provider is built in: files cannot be used, and say what they need.

use std::path::Path;

use crate::features;

/// What it needs, as it follows `feature`.
pub(crate) const FEATURE: &str = "`tls-ring` or `tls-aws-lc`";

#[derive(Clone, Debug, Default)]
pub(crate) struct Material;

impl Material {
    pub(crate) fn trust(&mut self, _: &Path) -> Result<(), String> {
        Err(features::missing(FEATURE))
    }

    pub(crate) fn identify(&mut self, _: &Path, _: &Path) -> Result<(), String> {
        Err(features::missing(FEATURE))
    }

    pub(crate) fn trusted(&self) -> &'static str {
        "nobody"
    }
}
