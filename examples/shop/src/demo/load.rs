//! Many orders at a rate, while instances may be killed: what came of each of them, and of what the services told.

mod answers;
mod pace;
mod progress;
mod settled;
mod summary;
mod verdict;
mod watcher;

use std::error::Error;

use super::stage::Stage;
use answers::Answers;
pub(crate) use pace::Rate;
use progress::Progress;
use settled::Settled;
use watcher::Watcher;

/// What is asked of the shop.
#[derive(Clone, Copy, Debug)]
pub(super) struct Load {
    pub(super) orders: u32,
    pub(super) rate: Rate,
    /// How many instances of orders are killed meanwhile.
    pub(super) kill: u32,
}

/// Sends the orders, waits until their events have got everywhere, ends the services, and compares.
pub(super) async fn run(stage: &mut Stage, load: Load) -> Result<(), Box<dyn Error>> {
    let watcher = stage.received().map(|received| Watcher::start(received.clone()));
    // A database that is not new has orders of others.
    let before = settled::ask(stage).await?;
    let mut progress = Progress::new(load.orders);
    let answers = pace::send(stage, load, &mut progress).await?;
    let settled = settled::wait(stage).await?.since(&before);
    stage.close().await;
    let seen = match watcher {
        None => None,
        Some(watcher) => Some(watcher.stop().await),
    };
    stage.printer.line(&summary::table(stage, &answers, seen.as_ref()))?;
    verdict::judge(stage.printer, &answers, &settled, seen.as_ref(), load.kill)
}
