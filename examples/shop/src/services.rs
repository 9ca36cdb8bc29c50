//! The services of the shop: what they share is how they start, what they say to whoever has started them, and how they end.

// One file a service.
mod analytics;
mod fulfilment;
mod gateway;
mod notifications;
mod orders;
mod recent_orders;
mod recommendations;
mod users;

// What they speak about, and with whom.
mod client;
mod database;
mod mqtt;
mod order;

// How they run.
mod back_door;
mod failure;
mod host;
mod say;
mod stop;
mod tally;
mod telemetry;

use std::{error::Error, time::Duration};

use crate::arguments::{ServeArguments, Service};
use failure::Failure;
use host::Host;

/// How long a service may take to hand over its last telemetry.
const SHUTDOWN_DEADLINE: Duration = Duration::from_secs(5);

/// Runs one service until SIGTERM or SIGINT.
pub(crate) async fn serve(settings: ServeArguments) -> Result<(), Box<dyn Error>> {
    let telemetry = telemetry::install(&settings)?;
    let name = settings.name();
    let served = run(&Host::new(settings)).await;
    let report = match telemetry {
        None => None,
        Some(telemetry) => Some(telemetry.shutdown(SHUTDOWN_DEADLINE).await),
    };
    if let Some(report) = report.as_ref().filter(|report| report.lost() > 0) {
        eprintln!("{name}: {report}");
    }
    say::report(report.as_ref());
    served.map_err(|failure| failure as Box<dyn Error>)
}

async fn run(host: &Host) -> Result<(), Failure> {
    match host.settings().service {
        Service::Gateway => gateway::serve(host).await,
        Service::Orders => orders::serve(host).await,
        Service::Users => users::serve(host).await,
        Service::Recommendations => recommendations::serve(host).await,
        Service::Fulfilment => fulfilment::serve(host).await,
        Service::Notifications => notifications::serve(host).await,
        Service::RecentOrders => recent_orders::serve(host).await,
        Service::Analytics => analytics::serve(host).await,
    }
}
