//! Lines kept in memory.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::{Writer, WriterStats};

/// Keeps every line, without a limit: for tests. Clones share their lines.
#[derive(Clone, Default)]
pub struct Memory(Arc<Mutex<Kept>>);

#[derive(Default)]
struct Kept {
    text: Vec<u8>,
    lines: u64,
}

impl Memory {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// All lines so far, as they would stand in a file.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.kept().text).into_owned()
    }

    /// The lines so far, without their ends.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        self.text().lines().map(str::to_owned).collect()
    }

    /// Forgets the lines so far.
    pub fn clear(&self) {
        self.kept().text.clear();
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Writer for Memory {
    fn write(&self, line: &[u8]) {
        let mut kept = self.kept();
        kept.text.extend_from_slice(line);
        kept.lines += 1;
    }

    fn stats(&self) -> WriterStats {
        WriterStats::new().with_written(self.kept().lines)
    }
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memory").field("lines", &self.kept().lines).finish()
    }
}
