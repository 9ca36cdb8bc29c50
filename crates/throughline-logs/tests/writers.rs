//! What becomes of lines when the output is slow, stuck or broken.

#![expect(clippy::unwrap_used, reason = "a test fails where a helper of it does")]

use std::{
    io::{self, Write},
    sync::{Arc, Condvar, Mutex},
    thread,
    time::{Duration, Instant},
};

use throughline_core::{ContextLayer, Pipeline};
use throughline_logs::{Blocking, JsonLayer, NonBlocking, Writer};
use tracing_subscriber::prelude::*;

const LONG: Duration = Duration::from_secs(30);
const SHORT: Duration = Duration::from_millis(20);

/// An output that stands still until it is opened.
#[derive(Clone, Default)]
struct Gate(Arc<(Mutex<GateState>, Condvar)>);

#[derive(Default)]
struct GateState {
    is_open: bool,
    is_reached: bool,
    text: Vec<u8>,
}

impl Gate {
    fn open(&self) {
        self.0.0.lock().unwrap().is_open = true;
        self.0.1.notify_all();
    }

    fn wait_until_reached(&self) {
        let state = self.0.0.lock().unwrap();
        let (state, _) = self.0.1.wait_timeout_while(state, LONG, |state| !state.is_reached).unwrap();
        assert!(state.is_reached);
    }

    fn text(&self) -> String {
        String::from_utf8(self.0.0.lock().unwrap().text.clone()).unwrap()
    }
}

impl Write for Gate {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut state = self.0.0.lock().unwrap();
        state.is_reached = true;
        self.0.1.notify_all();
        let mut state = self.0.1.wait_while(state, |state| !state.is_open).unwrap();
        state.text.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn losses_are_counted_exactly() {
    let gate = Gate::default();
    let (writer, guard) = NonBlocking::builder().bytes_max(100).spawn(gate.clone()).unwrap();
    writer.write(b"123456789\n");
    gate.wait_until_reached();
    for _ in 0..20 {
        writer.write(b"123456789\n");
    }
    let stats = writer.stats();
    assert_eq!((stats.written(), stats.pending(), stats.lost(), stats.lost_bytes()), (0, 10, 11, 110));
    gate.open();
    assert!(writer.flush(LONG));
    let stats = writer.stats();
    assert_eq!((stats.written(), stats.pending(), stats.lost()), (10, 0, 11));
    assert_eq!(gate.text(), "123456789\n".repeat(10));
    drop(guard);
}

#[test]
fn a_flush_ends_at_its_deadline() {
    let gate = Gate::default();
    let (writer, _guard) = NonBlocking::builder().spawn(gate.clone()).unwrap();
    assert!(writer.flush(Duration::ZERO), "nothing to wait for");
    writer.write(b"one\n");
    assert!(!writer.flush(SHORT));
    gate.open();
    assert!(writer.flush(LONG));
    assert_eq!(gate.text(), "one\n");
}

#[test]
fn a_guard_writes_what_is_left() {
    let gate = Gate::default();
    gate.open();
    let (writer, guard) = NonBlocking::builder().spawn(gate.clone()).unwrap();
    for _ in 0..1000 {
        writer.write(b"a line\n");
    }
    assert!(guard.shutdown(LONG));
    assert_eq!(gate.text().lines().count(), 1000);
    writer.write(b"too late\n");
    let stats = writer.stats();
    assert_eq!((stats.written(), stats.lost(), stats.pending()), (1000, 1, 0));
}

#[test]
fn a_guard_does_not_wait_for_a_stuck_output() {
    let gate = Gate::default();
    let (writer, guard) = NonBlocking::builder().shutdown_timeout(SHORT).spawn(gate.clone()).unwrap();
    writer.write(b"in flight\n");
    gate.wait_until_reached();
    writer.write(b"waiting\n");
    let before = Instant::now();
    drop(guard);
    assert!(before.elapsed() < LONG);
    let stats = writer.stats();
    assert_eq!((stats.written(), stats.pending(), stats.lost()), (0, 1, 1));
    gate.open();
    assert!(writer.flush(LONG));
    assert_eq!((writer.stats().written(), writer.stats().pending()), (1, 0));
}

/// An output that always fails, or panics.
struct Broken {
    panics: bool,
}

impl Write for Broken {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        assert!(!self.panics, "a faulty output");
        Err(io::Error::other("no space left"))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_broken_output_is_counted() {
    for panics in [false, true] {
        let (writer, _guard) = NonBlocking::builder().spawn(Broken { panics }).unwrap();
        writer.write(b"one\n");
        writer.write(b"two\n");
        assert!(writer.flush(LONG));
        let stats = writer.stats();
        assert_eq!((stats.written(), stats.lost(), stats.lost_bytes(), stats.pending()), (0, 2, 8, 0));
        assert!(stats.write_errors() >= 1);

        let writer = Blocking::new(Broken { panics });
        writer.write(b"one\n");
        let stats = writer.stats();
        assert_eq!((stats.written(), stats.lost(), stats.lost_bytes(), stats.write_errors()), (0, 1, 4, 1));
    }
}

/// An output that logs while it writes.
struct Echo(Gate);

impl Write for Echo {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        tracing::info!("echo");
        tracing::warn!(target: throughline_core::DIAGNOSTICS_TARGET, "echo");
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn an_output_that_logs_neither_loops_nor_hangs() {
    let gate = Gate::default();
    gate.open();
    let layer = JsonLayer::builder("orders").writer(Blocking::new(Echo(gate.clone()))).build();
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || tracing::info!("once"));
    assert_eq!(gate.text().lines().count(), 1);
}

#[test]
fn lines_of_many_threads_stay_whole_and_in_order() {
    const THREADS: usize = 8;
    const LINES: u64 = 500;
    let gate = Gate::default();
    gate.open();
    let (writer, guard) = NonBlocking::builder().spawn(gate.clone()).unwrap();
    let layer = JsonLayer::builder("orders").writer(writer).build();
    let counters = layer.counters();
    let subscriber =
        tracing_subscriber::registry().with(ContextLayer::new(Pipeline::builder().build())).with(layer);
    let dispatch = tracing::Dispatch::new(subscriber);
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let dispatch = dispatch.clone();
            scope.spawn(move || {
                tracing::dispatcher::with_default(&dispatch, || {
                    let _span = tracing::info_span!("thread", thread).entered();
                    (0..LINES).for_each(|line| {
                        tracing::info!(line, text = "x".repeat(line as usize % 90), "count")
                    });
                });
            });
        }
    });
    drop(guard);
    let mut next = [0; THREADS];
    for line in gate.text().lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        let thread = line["thread"].as_u64().unwrap() as usize;
        assert_eq!(line["line"].as_u64(), Some(next[thread]));
        next[thread] += 1;
    }
    assert_eq!(next, [LINES; THREADS]);
    assert_eq!((counters.stats().written(), counters.stats().lost()), (LINES * THREADS as u64, 0));
}
