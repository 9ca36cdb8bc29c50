//! A file that gets every accepted request as a line.

use std::{
    fs::File,
    io::{self, Write},
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::{Signal, Tap};

/// A file of OTLP-JSON: one line for each request that was accepted, signals mixed, in the order of arrival.
///
/// Each line is handed to the operating system at once, so whoever reads the file sees whole lines only. A line that can't be
/// written is lost and counted; the next one is tried again. Clones write to the same file.
///
/// ```
/// use throughline_receiver::{OtlpJsonFile, Receiver};
///
/// # let folder = tempfile::tempdir()?;
/// let file = OtlpJsonFile::create(folder.path().join("telemetry.jsonl"))?;
/// let receiver = Receiver::builder().tap(file.clone()).start_blocking()?;
/// // … services export to receiver.grpc_endpoint() …
/// drop(receiver);
/// if let Some(error) = file.last_error() {
///     return Err(format!("{} lines were lost: {error}", file.write_errors()).into());
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct OtlpJsonFile(Arc<Mutex<Output<File>>>);

#[derive(Debug)]
struct Output<W> {
    writer: W,
    lines: u64,
    errors: u64,
    last_error: Option<String>,
    /// Whether a failed write may have left part of a line behind.
    torn: bool,
}

impl OtlpJsonFile {
    /// Creates the file; one that is there already is emptied.
    ///
    /// # Errors
    ///
    /// What the operating system says, if the file can't be created.
    pub fn create(path: impl AsRef<Path>) -> io::Result<Self> {
        Ok(Self(Arc::new(Mutex::new(Output::new(File::create(path)?)))))
    }

    /// How many lines were written.
    #[must_use]
    pub fn lines(&self) -> u64 {
        self.output().lines
    }

    /// How many lines were lost because they couldn't be written.
    #[must_use]
    pub fn write_errors(&self) -> u64 {
        self.output().errors
    }

    /// Why the last line was lost that was.
    #[must_use]
    pub fn last_error(&self) -> Option<String> {
        self.output().last_error.clone()
    }

    fn output(&self) -> MutexGuard<'_, Output<File>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tap for OtlpJsonFile {
    fn line(&self, _signal: Signal, json: &str) {
        self.output().line(json);
    }
}

impl<W: Write> Output<W> {
    fn new(writer: W) -> Self {
        Self { writer, lines: 0, errors: 0, last_error: None, torn: false }
    }

    fn line(&mut self, json: &str) {
        // The line feed in front ends what a failed write may have left, so that it spoils no other line.
        let start = if self.torn { "\n" } else { "" };
        let line = format!("{start}{json}\n");
        match self.writer.write_all(line.as_bytes()).and_then(|()| self.writer.flush()) {
            Ok(()) => {
                self.lines += 1;
                self.torn = false;
            }
            Err(error) => {
                self.errors += 1;
                self.last_error = Some(error.to_string());
                self.torn = true;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes so many bytes, fails once, then takes everything.
    struct Full(usize, Vec<u8>);

    impl Write for Full {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if self.0 == 0 {
                self.0 = usize::MAX;
                return Err(io::ErrorKind::StorageFull.into());
            }
            let taken = bytes.len().min(self.0);
            self.0 -= taken;
            self.1.extend_from_slice(&bytes[..taken]);
            Ok(taken)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_lost_line_is_counted_and_spoils_no_other() {
        let mut output = Output::new(Full(8, Vec::new()));
        for json in ["{1}", "{second}", "{3}"] {
            output.line(json);
        }
        assert_eq!(String::from_utf8(output.writer.1).unwrap(), "{1}\n{sec\n{3}\n");
        assert_eq!((output.lines, output.errors), (2, 1));
        assert_eq!(output.last_error.as_deref(), Some("no storage space"));
    }
}
