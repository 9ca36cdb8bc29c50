//! Random ids: one small generator a thread, so that making an id takes no lock and no system call.

use std::{
    cell::RefCell,
    sync::atomic::{AtomicU64, Ordering},
};

use rand::{
    Rng, RngExt, SeedableRng,
    rngs::{SmallRng, SysRng},
};

use crate::{SpanId, TraceId, clock};

thread_local! {
    static GENERATOR: RefCell<SmallRng> = RefCell::new(seeded());
}

/// A trace id of sixteen random bytes, so that the *random* flag may be set for it.
pub(crate) fn new_trace_id() -> TraceId {
    loop {
        if let Some(id) = TraceId::from_bytes(bytes()) {
            return id;
        }
    }
}

/// A span id of eight random bytes.
pub(crate) fn new_span_id() -> SpanId {
    loop {
        if let Some(id) = SpanId::from_bytes(bytes()) {
            return id;
        }
    }
}

/// Random bytes that are good enough to tell things apart, and not meant to be secret.
pub(crate) fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    GENERATOR.with_borrow_mut(|generator| generator.fill_bytes(&mut bytes));
    bytes
}

/// Any number from 0 to 1, both included.
pub(crate) fn share() -> f64 {
    GENERATOR.with_borrow_mut(|generator| generator.random_range(0.0..=1.0))
}

fn seeded() -> SmallRng {
    SmallRng::try_from_rng(&mut SysRng).unwrap_or_else(|_| seeded_without_the_system())
}

/// Keeps a process alive, and its threads apart, on a system that gives no random bytes.
fn seeded_without_the_system() -> SmallRng {
    static THREADS: AtomicU64 = AtomicU64::new(0);
    // Spreads small numbers over all bits; the odd constant is 2^64 divided by the golden ratio.
    let thread = THREADS.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let process = u64::from(std::process::id()).rotate_left(32);
    SmallRng::seed_from_u64(clock::now_unix_nanos() ^ process ^ thread)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn ids_differ_within_and_between_threads() {
        let make = || (0..1_000).map(|_| (new_trace_id(), new_span_id())).collect::<Vec<_>>();
        let threads: Vec<_> = (0..4).map(|_| std::thread::spawn(make)).collect();
        let made: Vec<_> = threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
        assert_eq!(made.iter().map(|(trace, _)| trace).collect::<HashSet<_>>().len(), 4_000);
        assert_eq!(made.iter().map(|(_, span)| span).collect::<HashSet<_>>().len(), 4_000);
    }

    #[test]
    fn every_bit_of_an_id_is_sometimes_set_and_sometimes_not() {
        let ids: Vec<_> = (0..500).map(|_| u128::from_be_bytes(new_trace_id().to_bytes())).collect();
        assert_eq!(ids.iter().fold(0, |seen, id| seen | id), u128::MAX);
        assert_eq!(ids.iter().fold(u128::MAX, |seen, id| seen & id), 0);
    }

    #[test]
    fn threads_get_different_seeds_even_without_the_system() {
        let (mut first, mut second) = (seeded_without_the_system(), seeded_without_the_system());
        assert_ne!(first.next_u64(), second.next_u64());
    }
}
