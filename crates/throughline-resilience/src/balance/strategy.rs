//! How an instance is chosen.

use super::instance::Instance;

/// How an instance is chosen among the healthy ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Strategy {
    /// One after the other.
    #[default]
    RoundRobin,
    /// The one with the fewest calls under way; among equals, one after the other.
    LeastConnections,
    /// One after the other, each as often as its weight says, spread over the round.
    Weighted,
}

impl Strategy {
    /// As it stands on the span.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RoundRobin => "round_robin",
            Self::LeastConnections => "least_connections",
            Self::Weighted => "weighted",
        }
    }

    /// The places of the instances in one round, in the order in which they have their turn.
    pub(super) fn round<S>(self, instances: &[Instance<S>]) -> Vec<usize> {
        match self {
            Self::RoundRobin | Self::LeastConnections => (0..instances.len()).collect(),
            Self::Weighted => spread(&instances.iter().map(|instance| instance.weight).collect::<Vec<_>>()),
        }
    }

    /// The place of the instance whose `turn` it is, among those of the `round` that may have it; all may unless told.
    pub(super) fn choose<S>(
        self,
        instances: &[Instance<S>],
        round: &[usize],
        turn: usize,
        may_have_it: Option<&[bool]>,
    ) -> Option<usize> {
        let Some(may_have_it) = may_have_it else {
            return self.among(instances, round, turn);
        };
        let may = |place: &usize| may_have_it.get(*place).copied().unwrap_or_default();
        let candidates: Vec<_> = round.iter().copied().filter(may).collect();
        self.among(instances, &candidates, turn)
    }

    fn among<S>(self, instances: &[Instance<S>], candidates: &[usize], turn: usize) -> Option<usize> {
        let (later, first) = candidates.split_at_checked(turn.checked_rem(candidates.len())?)?;
        let mut in_turn = first.iter().chain(later).copied();
        match self {
            Self::RoundRobin | Self::Weighted => in_turn.next(),
            // The first of the fewest: as the turn goes on, another one is the first.
            Self::LeastConnections => {
                in_turn.min_by_key(|place| instances.get(*place).map_or(usize::MAX, Instance::under_way))
            }
        }
    }
}

/// The longest round; weights whose sum is larger are scaled down to it.
const ROUND_LEN_MAX: u64 = 1_000;

/// Who has the most turns due is next (smooth weighted round-robin), so that nobody has all of theirs in a row.
fn spread(weights: &[u32]) -> Vec<usize> {
    let sum: u64 = weights.iter().map(|weight| u64::from(*weight)).sum();
    let scaled = |weight: u32| {
        let weight = u64::from(weight);
        if sum <= ROUND_LEN_MAX || weight == 0 { weight } else { (weight * ROUND_LEN_MAX / sum).max(1) }
    };
    let weights: Vec<i64> =
        weights.iter().map(|weight| i64::try_from(scaled(*weight)).unwrap_or(i64::MAX)).collect();
    let total: i64 = weights.iter().sum();
    let mut due = vec![0_i64; weights.len()];
    let mut round = Vec::new();
    for _ in 0..total {
        due.iter_mut().zip(&weights).for_each(|(due, weight)| *due += weight);
        // The last of the largest, as `max_by_key` has it, would turn equal weights round.
        let next = due.iter().enumerate().rev().max_by_key(|(_, due)| **due).map(|(place, _)| place);
        if let Some(next) = next {
            if let Some(due) = due.get_mut(next) {
                *due -= total;
            }
            round.push(next);
        }
    }
    round
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_are_spread_over_the_round() {
        for (weights, expected) in [
            (vec![1, 1, 1], vec![0, 1, 2]),
            (vec![3, 1], vec![0, 0, 1, 0]),
            (vec![5, 1, 1], vec![0, 0, 1, 0, 2, 0, 0]),
            (vec![0, 2], vec![1, 1]),
            (vec![], vec![]),
        ] {
            assert_eq!(spread(&weights), expected, "{weights:?}");
        }
    }

    #[test]
    fn huge_weights_make_no_huge_round() {
        let round = spread(&[u32::MAX, u32::MAX / 3, 1]);
        assert!(round.len() <= 1_001, "{}", round.len());
        assert!(round.contains(&2), "a small weight is not none");
    }
}
