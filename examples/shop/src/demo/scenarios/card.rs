//! What a scenario says of itself.

use std::error::Error;

use crate::demo::stage::Stage;

/// Printed around what a scenario shows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Card {
    pub(super) name: &'static str,
    /// One sentence.
    pub(super) about: &'static str,
    /// What in the output shows the pattern at work.
    pub(super) look_at: &'static [&'static str],
}

impl Card {
    pub(super) fn open(&self, stage: &mut Stage) -> Result<(), Box<dyn Error>> {
        stage.begin_scenario();
        stage.printer.text(&format!("# {}: ", self.name), self.about)?;
        Ok(stage.printer.line("")?)
    }

    pub(super) fn close(&self, stage: &Stage) -> Result<(), Box<dyn Error>> {
        for sight in self.look_at {
            stage.printer.text("look at: ", sight)?;
        }
        Ok(stage.printer.line("")?)
    }
}
