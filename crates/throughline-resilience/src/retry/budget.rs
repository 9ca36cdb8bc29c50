//! How many resends there may be, in the words of `tower`'s budget.

use std::time::Duration;

use tower::retry::budget::TpsBudget;

/// Over how long answers and resends are counted; `TpsBudget` refuses more than a minute.
const PERIOD: Duration = Duration::from_secs(10);
/// The largest share that `TpsBudget` takes; it panics at a larger one.
const SHARE_MAX: f32 = 1000.0;
/// Below, the price of a resend is no longer exact, and in the end takes the whole rate with it.
const SHARE_MIN: f32 = 1e-6;
/// It panics at a larger one, too.
const PER_SECOND_MAX: u32 = i32::MAX.unsigned_abs() - 1;

/// A budget that never allows a larger share than this.
pub(super) fn new(share: f32, per_second: u32) -> TpsBudget {
    TpsBudget::new(PERIOD, per_second.min(PER_SECOND_MAX), rounded_down(share))
}

/// What `TpsBudget` has to be told: it cuts the price of a resend off to a whole number, which makes every share from above a
/// half a whole one.
fn rounded_down(share: f32) -> f32 {
    if share.is_nan() || share < SHARE_MIN {
        return 0.0;
    }
    let share = share.min(SHARE_MAX);
    // What an answer adds, and a resend takes its price of.
    let deposit: f64 = if share > 1.0 { 1000.0 } else { 1.0 };
    // A share of 1/n may be a bit less than that, as far as an `f32` goes.
    let price = (deposit / f64::from(share) * (1.0 - 1e-7)).ceil();
    // The half is there to be cut off, and not an error of the division.
    (deposit / (price + 0.5)) as f32
}

#[cfg(test)]
mod tests {
    use tower::retry::budget::Budget;

    use super::*;

    /// How many resends there are for so many answers.
    fn resends(share: f32, answers: u32) -> usize {
        let budget = new(share, 0);
        (0..answers).for_each(|_| budget.deposit());
        std::iter::repeat_with(|| budget.withdraw()).take_while(|allowed| *allowed).count()
    }

    #[test]
    fn a_share_is_rounded_down_and_never_up() {
        for (share, expected) in [
            (f32::NAN, 0),
            (f32::NEG_INFINITY, 0),
            (-1.0, 0),
            (0.0, 0),
            (f32::MIN_POSITIVE, 0),
            (0.2, 240),
            (0.3, 300),
            (0.49, 400),
            (0.5, 600),
            (0.6, 600),
            (0.999, 600),
            (1.0, 1200),
            (1.5, 1799),
            (2.0, 2400),
        ] {
            assert_eq!(resends(share, 1200), expected, "{share}");
        }
        for share in [1000.0, 1e9, f32::INFINITY] {
            assert_eq!(resends(share, 3), 3000, "{share}");
        }
        assert_eq!(resends(300.0, 1), 250);
    }

    #[test]
    fn one_in_a_whole_number_is_just_that() {
        for number in 1_u16..=500 {
            let share = 1.0 / f32::from(number);
            let answers = u32::from(number);
            assert_eq!((resends(share, answers - 1), resends(share, answers)), (0, 1), "1/{number}");
        }
    }

    #[test]
    fn a_share_however_small_takes_nothing_from_the_rate() {
        for share in [SHARE_MIN, f32::MIN_POSITIVE, 0.0] {
            let budget = new(share, 1);
            assert_eq!((0..20).filter(|_| budget.withdraw()).count(), 10, "{share}");
        }
    }

    #[test]
    fn any_rate_is_taken() {
        assert!(new(0.2, u32::MAX).withdraw());
        assert!(new(1000.0, u32::MAX).withdraw());
    }
}
