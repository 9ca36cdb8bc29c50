//! OTLP-JSON lines, on standard output or in a file.

use std::{
    fs::{File, OpenOptions},
    io::{self, Write},
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;

use super::{Answer, pieces::Pieces};
use crate::signal_kind::SignalKind;

/// A line for each request. Writing is left to a thread that nobody waits for at the end: a pipe or a disk may hang.
#[derive(Debug)]
pub(crate) struct Lines {
    kind: SignalKind,
    output: Arc<Mutex<Output>>,
}

#[derive(Debug)]
struct Output {
    place: Place,
    /// Whether a failed write may have left part of a line behind.
    torn: bool,
}

#[derive(Debug)]
enum Place {
    Stdout,
    File(File),
}

impl Lines {
    pub(super) fn stdout(kind: SignalKind) -> Self {
        Self::new(kind, Place::Stdout)
    }

    /// Appends to the file; creates it where it is missing.
    pub(super) fn file(kind: SignalKind, path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().append(true).create(true).open(path)?;
        Ok(Self::new(kind, Place::File(file)))
    }

    fn new(kind: SignalKind, place: Place) -> Self {
        Self { kind, output: Arc::new(Mutex::new(Output { place, torn: false })) }
    }

    pub(super) fn prepare(&self, request: &[Bytes]) -> Result<Pieces, String> {
        let mut line = super::json(request, self.kind)?;
        line.push('\n');
        Ok(line.into_bytes().into())
    }

    /// A full disk may have room again, so that a failed write is tried again like a failed request.
    pub(super) async fn send(&self, line: &Pieces) -> Answer {
        let (output, line) = (Arc::clone(&self.output), line.clone());
        let write = move || {
            let mut output = output.lock().unwrap_or_else(PoisonError::into_inner);
            line.left().iter().try_for_each(|line| output.write(line))
        };
        match tokio::task::spawn_blocking(write).await {
            Ok(Ok(())) => Answer::Delivered { rejected: 0, message: String::new() },
            Ok(Err(error)) => Answer::Later { after: None, why: error.to_string() },
            Err(error) => Answer::Never { why: error.to_string() },
        }
    }
}

impl Output {
    fn write(&mut self, line: &[u8]) -> io::Result<()> {
        let torn = std::mem::replace(&mut self.torn, true);
        let written = match &mut self.place {
            Place::Stdout => write(&mut io::stdout().lock(), torn, line),
            Place::File(file) => write(file, torn, line),
        };
        self.torn = written.is_err();
        written
    }
}

/// The line feed in front ends what a failed write may have left, so that it spoils no other line.
fn write(output: &mut impl Write, torn: bool, line: &[u8]) -> io::Result<()> {
    if torn {
        output.write_all(b"\n")?;
    }
    output.write_all(line)?;
    output.flush()
}
