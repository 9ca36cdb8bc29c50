//! What the demo can show: each pattern at work, with the trace that it leaves.

mod breaker;
mod card;
mod degraded;
mod event_retry;
mod happy;
mod instance_down;
mod rebalance;
mod replay;
mod retry;
mod tour;

use std::error::Error;

use clap::ValueEnum;

use super::stage::Stage;
use card::Card;

/// Who orders in a scenario, unless it says otherwise.
const USER: u32 = 7;

/// A demonstration of one pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Scenario {
    Happy,
    Retry,
    Breaker,
    Degraded,
    InstanceDown,
    Rebalance,
    EventRetry,
    Replay,
    Tour,
}

impl Scenario {
    /// The name of each, and what it is about.
    pub(super) fn summaries() -> impl Iterator<Item = (&'static str, &'static str)> {
        Self::value_variants().iter().map(|scenario| (scenario.card().name, scenario.card().about))
    }

    const fn card(self) -> Card {
        match self {
            Self::Happy => happy::CARD,
            Self::Retry => retry::CARD,
            Self::Breaker => breaker::CARD,
            Self::Degraded => degraded::CARD,
            Self::InstanceDown => instance_down::CARD,
            Self::Rebalance => rebalance::CARD,
            Self::EventRetry => event_retry::CARD,
            Self::Replay => replay::CARD,
            Self::Tour => tour::CARD,
        }
    }

    /// Plays it on a shop that is open.
    pub(super) async fn play(self, stage: &mut Stage) -> Result<(), Box<dyn Error>> {
        self.card().open(stage)?;
        match self {
            Self::Happy => happy::play(stage).await,
            Self::Retry => retry::play(stage).await,
            Self::Breaker => breaker::play(stage).await,
            Self::Degraded => degraded::play(stage).await,
            Self::InstanceDown => instance_down::play(stage).await,
            Self::Rebalance => rebalance::play(stage).await,
            Self::EventRetry => event_retry::play(stage).await,
            Self::Replay => replay::play(stage).await,
            Self::Tour => tour::play(stage).await,
        }?;
        self.card().close(stage)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scenario_is_called_on_the_command_line_what_it_calls_itself() {
        for scenario in Scenario::value_variants() {
            let value = scenario.to_possible_value().unwrap();
            assert_eq!(value.get_name(), scenario.card().name);
        }
    }
}
