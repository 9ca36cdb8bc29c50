//! The demo itself: starts everything, plays the customers, and shows what the services told about it.
//!
//! ```text
//! fleet      the services, each a process of its own
//! stage      what a demonstration needs: the fleet, a customer, the receiver of what the services tell
//! picture    a trace as a table
//! ```

mod customer;
mod fleet;
mod journey;
mod picture;
mod printer;
mod stage;
mod watch;

use std::{error::Error, future};

use tokio::sync::mpsc;

use crate::arguments::{DemoArguments, Service};
use fleet::Member;
use stage::Stage;

/// Runs the demo as the command line says; whatever happens, all services are ended.
pub(crate) async fn run(arguments: DemoArguments) -> Result<(), Box<dyn Error>> {
    let (deaths, mut died) = mpsc::unbounded_channel();
    let mut stage = Stage::set(&arguments, deaths).await?;
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
    let customer = stage.customer()?;
    for number in 1..=arguments.orders {
        let outcome = customer.order(number).await?;
        stage.show(&outcome).await?;
    }
    Ok(())
}

/// Until Ctrl-C, which is then no interruption.
async fn keep_running(
    stage: &Stage,
    died: &mut mpsc::UnboundedReceiver<fleet::Death>,
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
