//! What goes to standard output.

use std::io::{self, Write};

use super::picture::Look;

/// Writes lines, each at once; where nobody reads them any more, that is an error and not a panic.
#[derive(Clone, Copy, Debug)]
pub(super) struct Printer {
    look: Look,
}

impl Printer {
    pub(super) const fn new(look: Look) -> Self {
        Self { look }
    }

    pub(super) const fn look(self) -> Look {
        self.look
    }

    pub(super) fn line(self, text: &str) -> io::Result<()> {
        let mut out = io::stdout().lock();
        writeln!(out, "{text}")?;
        out.flush()
    }
}
