//! Files that follow each other.
//!
//! The work is done by `logroller`: it is kept up, rotates by size as well as by time (`tracing-appender` has only the
//! latter), looks before it writes, so that what is written at once stays in one file, and removes old files on a thread of
//! its own.

use std::{
    io::{self, ErrorKind, Write},
    path::PathBuf,
};

use logroller::{LogRoller, LogRollerBuilder, Rotation as Roll, RotationAge, RotationSize, TimeZone};

/// When the next file begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rotation {
    /// At midnight, UTC. Files are called `name.2026-11-24`.
    Daily,
    /// At each full hour, UTC. Files are called `name.2026-11-24-09`.
    Hourly,
    /// Before a file grows beyond this many bytes. The file is called `name`, those before it `name.1`, `name.2` …
    Bytes(u64),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rolling {
    pub(super) folder: PathBuf,
    pub(super) name: String,
    pub(super) rotation: Rotation,
    pub(super) keep: u64,
}

impl Rolling {
    pub(super) fn open(&self) -> io::Result<impl Write + Send + use<>> {
        let rotation = match self.rotation {
            Rotation::Daily => Roll::AgeBased(RotationAge::Daily),
            Rotation::Hourly => Roll::AgeBased(RotationAge::Hourly),
            Rotation::Bytes(0) => return Err(invalid("log files of no bytes")),
            Rotation::Bytes(bytes) => Roll::SizeBased(RotationSize::Bytes(bytes)),
        };
        if self.keep == 0 {
            return Err(invalid("no log files to keep"));
        }
        let name = PathBuf::from(&self.name);
        if self.name.contains('%') || name.file_name() != Some(name.as_os_str()) {
            return Err(invalid("a name of log files that is more than a name"));
        }
        // By time, the file that is written counts as one of those that are kept; by size, it does not.
        let kept = self.keep - u64::from(matches!(self.rotation, Rotation::Bytes(_)));
        let roller = LogRollerBuilder::new(&self.folder, &name)
            .rotation(rotation)
            .time_zone(TimeZone::UTC)
            .max_keep_files(kept)
            .graceful_shutdown(true)
            .build();
        roller.map(WholeLines).map_err(|error| {
            let folder = self.folder.display();
            io::Error::other(format!("log files in {folder} cannot be opened: {error}"))
        })
    }
}

fn invalid(problem: &str) -> io::Error {
    io::Error::new(ErrorKind::InvalidInput, problem)
}

/// Hands over one line at a time, so that many lines that are written at once do not all end up in one file.
struct WholeLines(LogRoller);

impl Write for WholeLines {
    fn write(&mut self, lines: &[u8]) -> io::Result<usize> {
        let len = lines.iter().position(|byte| *byte == b'\n').map_or(lines.len(), |end| end + 1);
        self.0.write(lines.get(..len).unwrap_or(lines))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::{
        fs,
        path::Path,
        time::{Duration, Instant},
    };

    use super::*;
    use crate::Output;

    fn files(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
        let mut names: Vec<_> = entries.map(|name| name.to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    fn write_lines(output: &Output, lines: std::ops::Range<u32>) {
        let mut writer = output.open().unwrap();
        let text: String = lines.map(|number| format!("{{\"n\":{number:05}}}\n")).collect();
        writer.write_all(text.as_bytes()).unwrap();
        writer.flush().unwrap();
    }

    #[test]
    fn files_by_size_hold_whole_lines_and_only_some_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("made/on/the/way");
        let output = Output::rolling(&folder, "app.jsonl", Rotation::Bytes(100), 3);
        write_lines(&output, 0..50);
        write_lines(&output, 50..60);
        // Old files are removed by a thread, which is done when the writer has been dropped, or soon after.
        let deadline = Instant::now() + Duration::from_secs(20);
        while files(&folder).len() > 3 {
            assert!(Instant::now() < deadline, "{:?}", files(&folder));
            std::thread::yield_now();
        }
        let mut numbers = Vec::new();
        for name in files(&folder) {
            assert!(name == "app.jsonl" || name.starts_with("app.jsonl."), "{name}");
            let text = fs::read_to_string(folder.join(&name)).unwrap();
            assert!(text.len() <= 100 && text.ends_with('\n'), "{name}: {text}");
            numbers.extend(text.lines().map(|line| {
                line.strip_prefix("{\"n\":")
                    .and_then(|n| n.strip_suffix('}'))
                    .unwrap()
                    .parse::<u32>()
                    .unwrap()
            }));
        }
        numbers.sort_unstable();
        let first = *numbers.first().unwrap();
        assert_eq!(numbers, (first..60).collect::<Vec<_>>(), "the last ones, without gaps");
    }

    #[test]
    fn files_by_time_are_named_by_it_and_appended_to() {
        for (rotation, len) in
            [(Rotation::Daily, "app.2026-11-24".len()), (Rotation::Hourly, "app.2026-11-24-09".len())]
        {
            let folder = tempfile::tempdir().unwrap();
            let output = Output::rolling(folder.path(), "app", rotation, 2);
            write_lines(&output, 0..1);
            write_lines(&output, 1..2);
            let names = files(folder.path());
            assert!(names.iter().all(|name| name.len() == len && name.starts_with("app.2")), "{names:?}");
            let text: String =
                names.iter().map(|name| fs::read_to_string(folder.path().join(name)).unwrap()).collect();
            assert_eq!(text, "{\"n\":00000}\n{\"n\":00001}\n");
        }
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        for (name, rotation, keep) in [
            ("app", Rotation::Bytes(0), 1),
            ("app", Rotation::Daily, 0),
            ("../app", Rotation::Daily, 1),
            ("%Y", Rotation::Daily, 1),
            ("", Rotation::Daily, 1),
        ] {
            let error = Output::rolling(folder.path(), name, rotation, keep).open().err().unwrap();
            assert_eq!(error.kind(), ErrorKind::InvalidInput, "{name} {rotation:?} {keep}");
        }
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        let error = Output::rolling(&file, "app", Rotation::Daily, 1).open().err().unwrap();
        assert!(error.to_string().contains(file.to_str().unwrap()), "{error}");
    }
}
