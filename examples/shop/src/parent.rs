//! A service ends with the demo that has started it.

use std::{error::Error, io, thread};

use rustix::process::{Signal, getpid, kill_process};

/// Ends this process as SIGTERM does once its standard input closes, which it does when the demo ends in whatever way.
///
/// A thread of its own: a runtime would wait at its end for a read that does not return.
pub(crate) fn end_with_it() -> Result<(), Box<dyn Error>> {
    thread::Builder::new().name("parent".to_owned()).spawn(|| {
        // What is read doesn't matter, nor how it ends.
        let _copied = io::copy(&mut io::stdin().lock(), &mut io::sink());
        if let Err(error) = kill_process(getpid(), Signal::TERM) {
            eprintln!("shop: a service cannot end itself: {error}");
        }
    })?;
    Ok(())
}
