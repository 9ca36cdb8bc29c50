//! The demo itself: starts everything, plays the customers, and shows what the services told about it.
//!
//! ```text
//! fleet      the services, each a process of its own
//! stage      what a demonstration needs: the fleet, a customer, the receiver of what the services tell
//! scenarios  what can be shown
//! load       many orders, and whether any was lost or doubled
//! picture    a trace as a table
//! ```

mod control;
mod customer;
mod fleet;
mod journey;
mod list;
mod load;
mod picture;
mod printer;
mod scenarios;
mod stage;
mod watch;

use std::{error::Error, future};

use tokio::sync::mpsc;

use crate::arguments::{DemoArguments, Service};
use fleet::{Death, Member};
use load::Load;
pub(crate) use load::Rate as LoadRate;
use picture::Look;
use printer::Printer;
pub(crate) use scenarios::Scenario;
use stage::Stage;

/// What is shown where nothing is asked for: that it works, and that it works where something fails.
const SHORT: [Scenario; 2] = [Scenario::Happy, Scenario::Retry];
/// How many orders are shown where only a fault is asked for.
const ORDERS: u32 = 2;

/// Runs the demo as the command line says; whatever happens, all services are ended.
pub(crate) async fn run(arguments: DemoArguments) -> Result<(), Box<dyn Error>> {
    let printer = Printer::new(if arguments.steady { Look::Steady } else { Look::Live });
    if arguments.list {
        return list::scenarios(printer);
    }
    if arguments.services && !arguments.keep_running {
        return list::services(printer);
    }
    let (deaths, mut died) = mpsc::unbounded_channel();
    let mut stage = Stage::set(&arguments, printer, deaths).await?;
    let played = tokio::select! {
        biased;
        () = throughline::shutdown_signal() => Err("interrupted; all services are ended".into()),
        Some(death) = died.recv() => Err(death.to_string().into()),
        played = play(&arguments, &mut stage) => played,
    };
    let kept = match played {
        Ok(()) if arguments.keep_running => keep_running(&stage, &mut died).await,
        played => played,
    };
    stage.close().await;
    kept
}

async fn play(arguments: &DemoArguments, stage: &mut Stage) -> Result<(), Box<dyn Error>> {
    stage.open().await?;
    if arguments.services {
        return list::addresses(stage);
    }
    if let (Some(orders), Some(rate)) = (arguments.orders, arguments.rate) {
        return load::run(stage, Load { orders, rate, kill: arguments.kill_during_load }).await;
    }
    if let Some(scenario) = arguments.scenario {
        return scenario.play(stage).await;
    }
    match arguments.orders {
        None if arguments.fail.is_empty() => {
            for scenario in SHORT {
                scenario.play(stage).await?;
            }
            Ok(())
        }
        orders => sell(stage, orders.unwrap_or(ORDERS)).await,
    }
}

/// Sends orders one after the other, each of another user, and shows each.
async fn sell(stage: &mut Stage, orders: u32) -> Result<(), Box<dyn Error>> {
    let customer = stage.customer()?;
    for number in 1..=orders {
        let outcome = customer.order(number).await?;
        stage.show(&outcome).await?;
    }
    Ok(())
}

/// Until Ctrl-C, which is then no interruption.
async fn keep_running(
    stage: &Stage,
    died: &mut mpsc::UnboundedReceiver<Death>,
) -> Result<(), Box<dyn Error>> {
    let gateway = stage.fleet.address(Member::new(Service::Gateway, 1))?;
    stage.printer.line(&format!("\nthe gateway is at http://{gateway}; Ctrl-C ends all"))?;
    tokio::select! {
        () = throughline::shutdown_signal() => Ok(()),
        death = died.recv() => match death {
            Some(death) => Err(death.to_string().into()),
            None => future::pending().await,
        },
    }
}
