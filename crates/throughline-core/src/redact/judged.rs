//! What a thread remembers of the names it has met.
//!
//! The names in a program are few and come again and again. A verdict is found by where its name lies in memory, and
//! believed only if the name is the same letter for letter: memory is used again for other names.

use std::cell::{Cell, RefCell};

use super::Verdict;

/// How many names a thread remembers.
const PLACES_LOG2: u32 = 8;
/// How many places a name may have, its own and those behind it: two names of a request that wanted the same one would
/// otherwise be judged anew all the time, each driving out the other. Where all are taken, the name gets its own.
const WAYS: usize = 4;
/// A longer name is judged each time.
const NAME_LEN_MAX: usize = 48;

#[derive(Clone, Copy)]
struct Place {
    /// Who has judged; zero is nobody.
    judge: u32,
    verdict: Verdict,
    len: u8,
    name: [u8; NAME_LEN_MAX],
}

const EMPTY: Place = Place { judge: 0, verdict: Verdict::Keep, len: 0, name: [0; NAME_LEN_MAX] };

thread_local! {
    static PLACES: RefCell<Vec<Place>> = const { RefCell::new(Vec::new()) };
}

/// The verdict of judge number `judge` on `name`, asked for only where it isn't remembered.
#[inline]
pub(super) fn remembered(judge: u32, name: &str, ask: impl Fn() -> Verdict) -> Verdict {
    let known = PLACES.try_with(|places| {
        let places = places.try_borrow().ok()?;
        places_of(name).find_map(|place| {
            let place = places.get(place)?;
            let is_this =
                place.judge == judge && place.name.get(..usize::from(place.len)) == Some(name.as_bytes());
            is_this.then_some(place.verdict)
        })
    });
    match known {
        Ok(Some(verdict)) => verdict,
        Ok(None) => learn(judge, name, ask()),
        Err(_) => ask(),
    }
}

/// A name that lives, unchanged, as long as the program: the same address and length are the same name.
#[derive(Clone, Copy)]
struct StaticPlace {
    judge: u32,
    verdict: Verdict,
    name: Option<&'static str>,
}

thread_local! {
    static STATIC_PLACES: [Cell<StaticPlace>; 1 << PLACES_LOG2] = const {
        [const { Cell::new(StaticPlace { judge: 0, verdict: Verdict::Keep, name: None }) }; 1 << PLACES_LOG2]
    };
}

/// [`remembered`] without a comparison of letters.
#[inline]
pub(super) fn remembered_static(judge: u32, name: &'static str, ask: impl FnOnce() -> Verdict) -> Verdict {
    let known = STATIC_PLACES.try_with(|places| verdict_at(places, own_place(name), judge, name));
    match known {
        Ok(Some(verdict)) => verdict,
        Ok(None) | Err(_) => remembered_elsewhere(judge, name, ask),
    }
}

/// Nearly always a name is at its own place; apart, so that the way there is a handful of instructions.
#[cold]
fn remembered_elsewhere(judge: u32, name: &'static str, ask: impl FnOnce() -> Verdict) -> Verdict {
    let known = STATIC_PLACES
        .try_with(|places| places_of(name).skip(1).find_map(|place| verdict_at(places, place, judge, name)));
    known.ok().flatten().unwrap_or_else(|| learn_static(judge, name, ask()))
}

#[inline]
fn verdict_at(places: &[Cell<StaticPlace>], place: usize, judge: u32, name: &'static str) -> Option<Verdict> {
    let place = places.get(place)?.get();
    let is_this = place.judge == judge && place.name.is_some_and(|own| std::ptr::eq(own, name));
    is_this.then_some(place.verdict)
}

#[cold]
fn learn_static(judge: u32, name: &'static str, verdict: Verdict) -> Verdict {
    let _torn_down = STATIC_PLACES.try_with(|places| {
        let is_free = |place: &usize| places.get(*place).is_some_and(|place| place.get().name.is_none());
        if let Some(place) = places.get(place_for(name, is_free)) {
            place.set(StaticPlace { judge, verdict, name: Some(name) });
        }
    });
    verdict
}

#[cold]
fn learn(judge: u32, name: &str, verdict: Verdict) -> Verdict {
    let _torn_down = PLACES.try_with(|places| {
        let Ok(mut places) = places.try_borrow_mut() else { return };
        if places.is_empty() {
            places.resize(1 << PLACES_LOG2, EMPTY);
        }
        let is_free = |place: &usize| places.get(*place).is_some_and(|place| place.judge == 0);
        let place = place_for(name, is_free);
        if let (Some(place), Ok(len)) = (places.get_mut(place), u8::try_from(name.len()))
            && let Some(own) = place.name.get_mut(..name.len())
        {
            own.copy_from_slice(name.as_bytes());
            (place.judge, place.verdict, place.len) = (judge, verdict, len);
        }
    });
    verdict
}

#[inline]
fn own_place(name: &str) -> usize {
    // 2⁶⁴ divided by the golden ratio: neighbours in memory end up far from each other.
    let spread = (name.as_ptr().addr() as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (spread >> (u64::BITS - PLACES_LOG2)) as usize
}

/// Where the name may be, its own place first.
#[inline]
fn places_of(name: &str) -> impl Iterator<Item = usize> {
    let own = own_place(name);
    (0..WAYS).map(move |way| (own + way) & ((1 << PLACES_LOG2) - 1))
}

/// Where a new name goes.
fn place_for(name: &str, is_free: impl Fn(&usize) -> bool) -> usize {
    places_of(name).find(is_free).unwrap_or_else(|| own_place(name))
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[test]
    fn a_name_is_judged_once_and_never_taken_for_another() {
        let asked = Cell::new(0);
        let judge = |name: &str| {
            remembered(1, name, || {
                asked.set(asked.get() + 1);
                if name.starts_with('a') { Verdict::Replace } else { Verdict::Keep }
            })
        };
        // The same memory holds one name after the other.
        let mut buffer = String::with_capacity(16);
        for _ in 0..3 {
            for name in ["abc", "xbc", "ab", "x", "a", ""] {
                buffer.clear();
                buffer.push_str(name);
                assert_eq!(judge(&buffer) == Verdict::Replace, name.starts_with('a'), "{name}");
            }
        }
        let before = asked.get();
        (0..5).for_each(|_| assert_eq!(judge("always"), Verdict::Replace));
        assert_eq!(asked.get(), before + 1);
    }

    #[test]
    fn names_within_one_text_are_told_apart() {
        let all: &'static str = "abcdefghijklmnopqrstuvwxyz";
        let judge = |name: &str| if name.len().is_multiple_of(2) { Verdict::Keep } else { Verdict::Drop };
        for _ in 0..2 {
            for start in 0..all.len() {
                for end in start..=all.len() {
                    let name = &all[start..end];
                    assert_eq!(remembered_static(9, name, || judge(name)), judge(name), "{name}");
                }
            }
        }
        assert_eq!(remembered_static(9, all, || unreachable!()), Verdict::Keep);
        assert_eq!(remembered_static(10, all, || Verdict::Replace), Verdict::Replace);
    }

    #[test]
    fn names_that_want_one_place_do_not_drive_each_other_out() {
        let text: String = (0..10_000).map(|number| format!("{number:08}")).collect();
        let text: &'static str = text.leak();
        let names = (0..text.len()).step_by(8).map(|start| &text[start..start + 8]);
        let rivals: Vec<_> = names.filter(|name| own_place(name) == own_place(text)).take(WAYS).collect();
        assert_eq!(rivals.len(), WAYS);
        let asked = Cell::new(0);
        for _ in 0..3 {
            for name in &rivals {
                let ask = || {
                    asked.set(asked.get() + 1);
                    Verdict::Keep
                };
                remembered_static(11, name, ask);
                remembered(11, name, ask);
            }
        }
        assert_eq!(asked.get(), 2 * WAYS, "each once by either way");
    }

    #[test]
    fn judges_do_not_share_their_verdicts() {
        let name = "shared";
        assert_eq!(remembered(7, name, || Verdict::Drop), Verdict::Drop);
        assert_eq!(remembered(8, name, || Verdict::Keep), Verdict::Keep);
    }

    #[test]
    fn a_long_name_is_judged_each_time() {
        let long = "n".repeat(NAME_LEN_MAX + 1);
        assert_eq!(remembered(1, &long, || Verdict::Drop), Verdict::Drop);
        assert_eq!(remembered(1, &long, || Verdict::Keep), Verdict::Keep);
    }
}
