//! The usual places for lines.

use std::{
    fs::OpenOptions,
    io::{self, Write},
    path::PathBuf,
};

#[cfg(feature = "rolling")]
use super::rolling::{Rolling, Rotation};

/// Where the lines of a process usually go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output(Place);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    Stdout,
    Stderr,
    File(PathBuf),
    #[cfg(feature = "rolling")]
    Rolling(Rolling),
}

impl Output {
    /// The standard output.
    #[must_use]
    pub const fn stdout() -> Self {
        Self(Place::Stdout)
    }

    /// The standard error.
    #[must_use]
    pub const fn stderr() -> Self {
        Self(Place::Stderr)
    }

    /// A file, created if it is missing and appended to if it is there. It is neither rotated nor opened again.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self(Place::File(path.into()))
    }

    /// Files in `folder`, called `name` and what tells them apart: `keep` of them at most, the oldest are removed.
    ///
    /// The folder is created if it is missing. A line is never split between two files. Days and hours are those of UTC.
    /// Needs the feature `rolling`.
    ///
    /// ```no_run
    /// use throughline_logs::{NonBlocking, Output, Rotation};
    ///
    /// let output = Output::rolling("/var/log/orders", "orders.jsonl", Rotation::Daily, 7);
    /// let (writer, guard) = NonBlocking::builder().spawn(output.open()?)?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[cfg(feature = "rolling")]
    pub fn rolling(
        folder: impl Into<PathBuf>,
        name: impl Into<String>,
        rotation: Rotation,
        keep: u64,
    ) -> Self {
        Self(Place::Rolling(Rolling { folder: folder.into(), name: name.into(), rotation, keep }))
    }

    /// Opens it for writing.
    ///
    /// # Errors
    ///
    /// If the file can be neither created nor appended to; the error names it. If a file is to be rotated at no bytes, or
    /// none is to be kept.
    pub fn open(&self) -> io::Result<Box<dyn Write + Send>> {
        Ok(match &self.0 {
            Place::Stdout => Box::new(io::stdout()),
            Place::Stderr => Box::new(io::stderr()),
            #[cfg(feature = "rolling")]
            Place::Rolling(rolling) => Box::new(rolling.open()?),
            Place::File(path) => {
                let file = OpenOptions::new().append(true).create(true).open(path);
                Box::new(file.map_err(|error| {
                    io::Error::new(
                        error.kind(),
                        format!("log file {} cannot be opened: {error}", path.display()),
                    )
                })?)
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_appended_to() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("app.jsonl");
        for line in ["one\n", "two\n"] {
            Output::file(&path).open().unwrap().write_all(line.as_bytes()).unwrap();
        }
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "one\ntwo\n");
    }

    #[test]
    fn a_file_that_cannot_be_opened_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let error = Output::file(folder.path()).open().err().unwrap();
        assert!(error.to_string().contains(folder.path().to_str().unwrap()), "{error}");
    }
}
