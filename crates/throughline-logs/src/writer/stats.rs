//! What a writer counts.

/// What has become of the lines that a [`Writer`](crate::Writer) was given: each is written, lost or pending.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WriterStats {
    pub(super) written: u64,
    pub(super) lost: u64,
    pub(super) lost_bytes: u64,
    pub(super) pending: u64,
    pub(super) write_errors: u64,
}

impl WriterStats {
    /// Nothing so far.
    #[must_use]
    pub const fn new() -> Self {
        Self { written: 0, lost: 0, lost_bytes: 0, pending: 0, write_errors: 0 }
    }

    /// The same with this many lines written.
    #[must_use]
    pub const fn with_written(self, lines: u64) -> Self {
        Self { written: lines, ..self }
    }

    /// The same with this many lines of this many bytes lost.
    #[must_use]
    pub const fn with_lost(self, lines: u64, bytes: u64) -> Self {
        Self { lost: lines, lost_bytes: bytes, ..self }
    }

    /// Lines that reached the output.
    #[must_use]
    pub const fn written(&self) -> u64 {
        self.written
    }

    /// Lines that did not, and never will.
    #[must_use]
    pub const fn lost(&self) -> u64 {
        self.lost
    }

    /// The bytes of the lost lines.
    #[must_use]
    pub const fn lost_bytes(&self) -> u64 {
        self.lost_bytes
    }

    /// Lines that wait for the output or are being written.
    #[must_use]
    pub const fn pending(&self) -> u64 {
        self.pending
    }

    /// How often the output failed.
    #[must_use]
    pub const fn write_errors(&self) -> u64 {
        self.write_errors
    }
}
