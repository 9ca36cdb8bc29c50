//! An output that may fail at any byte, or panic.

use std::{
    io::{self, ErrorKind, Write},
    panic::{AssertUnwindSafe, catch_unwind},
    thread,
    time::Duration,
};

/// Writes whole chunks of lines and keeps lines apart after a failure.
pub(super) struct Sink {
    out: Box<dyn Write + Send>,
    /// How often an output that is not ready is asked again before that counts as a failure.
    patience: u32,
    /// The output ends in the middle of a line.
    is_torn: bool,
    has_failed: bool,
}

/// The output failed after this many bytes of the chunk.
pub(super) struct Failed {
    pub(super) after: usize,
}

const NOT_READY_PAUSE: Duration = Duration::from_millis(1);

impl Sink {
    pub(super) fn new(out: Box<dyn Write + Send>, patience: u32) -> Self {
        Self { out, patience, is_torn: false, has_failed: false }
    }

    /// Writes and flushes `chunk`.
    ///
    /// The first failure of an output is reported on the standard error, once; the others are only counted.
    pub(super) fn write(&mut self, chunk: &[u8]) -> Result<(), Failed> {
        let mut done = 0;
        let result = catch_unwind(AssertUnwindSafe(|| self.try_write(chunk, &mut done)));
        let error = match result {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(error)) => error,
            Err(_) => io::Error::other("the output panicked"),
        };
        self.report(&error);
        Err(Failed { after: done })
    }

    fn try_write(&mut self, chunk: &[u8], done: &mut usize) -> io::Result<()> {
        if self.is_torn {
            self.write_some(b"\n")?;
            self.is_torn = false;
        }
        while let Some(rest) = chunk.get(*done..).filter(|rest| !rest.is_empty()) {
            let len = self.write_some(rest)?;
            *done += len;
            self.is_torn = rest.get(len.wrapping_sub(1)) != Some(&b'\n');
        }
        let flushed = self.out.flush();
        if flushed.is_err() {
            // What was handed over may be anywhere: none of it counts as written.
            *done = 0;
        }
        flushed
    }

    fn write_some(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut tries = 0;
        loop {
            match self.out.write(bytes) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock && tries < self.patience => {
                    tries += 1;
                    thread::sleep(NOT_READY_PAUSE);
                }
                result => return result,
            }
        }
    }

    fn report(&mut self, error: &io::Error) {
        if !self.has_failed {
            self.has_failed = true;
            // If this fails too, there is nobody left to tell: the counters have it.
            let _unheard = writeln!(io::stderr(), "throughline: log lines are being lost: {error}");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    /// Takes as many bytes at a time as its script says; 0 fails, -1 panics, -2 is not ready.
    struct Scripted {
        steps: Vec<i32>,
        text: Arc<Mutex<String>>,
    }

    impl Write for Scripted {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let step = if self.steps.is_empty() { i32::MAX } else { self.steps.remove(0) };
            let len = match step {
                0 => return Err(io::Error::other("full")),
                -1 => panic!("a faulty output"),
                -2 => return Err(ErrorKind::WouldBlock.into()),
                len => bytes.len().min(len as usize),
            };
            self.text.lock().unwrap().push_str(str::from_utf8(&bytes[..len]).unwrap());
            Ok(len)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn lines_stay_apart_after_a_failure() {
        for (steps, after, expected) in [
            (vec![1, 2], None, "one\ntwo\nthree\n"),
            (vec![0], Some(0), "three\n"),
            (vec![4, 0], Some(4), "one\nthree\n"),
            (vec![6, 0], Some(6), "one\ntw\nthree\n"),
            (vec![6, -1], Some(6), "one\ntw\nthree\n"),
            (vec![-2, 6, -2], None, "one\ntwo\nthree\n"),
            (vec![-2, -2, -2], Some(0), "three\n"),
        ] {
            let text = Arc::new(Mutex::new(String::new()));
            let out = Scripted { steps: steps.clone(), text: Arc::clone(&text) };
            let mut sink = Sink::new(Box::new(out), 2);
            assert_eq!(sink.write(b"one\ntwo\n").err().map(|failed| failed.after), after, "{steps:?}");
            assert!(sink.write(b"three\n").is_ok());
            assert_eq!(*text.lock().unwrap(), expected, "{steps:?}");
        }
    }
}
