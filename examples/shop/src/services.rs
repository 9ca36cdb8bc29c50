//! The five services: what they share is how they start, what they say to the demo, and how they end.

mod fulfilment;
mod gateway;
mod listen;
mod mqtt;
mod notifications;
mod order;
mod orders;
mod telemetry;
mod users;

use std::{error::Error, time::Duration};

use crate::arguments::{ServeArguments, Service};

/// How long a service may take to hand over its last telemetry.
const SHUTDOWN_DEADLINE: Duration = Duration::from_secs(5);

/// Runs one service until SIGTERM or SIGINT.
pub(crate) async fn serve(settings: ServeArguments) -> Result<(), Box<dyn Error>> {
    let telemetry = telemetry::install(&settings)?;
    let served = match settings.service {
        Service::Gateway => gateway::serve(&settings).await,
        Service::Orders => orders::serve(&settings).await,
        Service::Users => users::serve(&settings).await,
        Service::Fulfilment => fulfilment::serve(&settings).await,
        Service::Notifications => notifications::serve(&settings).await,
    };
    let report = telemetry.shutdown(SHUTDOWN_DEADLINE).await;
    if report.lost() > 0 {
        eprintln!("{}: {report}", settings.service.name());
    }
    served
}
