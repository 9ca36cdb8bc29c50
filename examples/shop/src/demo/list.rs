//! What there is to see, and what runs where.

use std::{collections::BTreeMap, error::Error};

use super::{fleet::Fleet, printer::Printer, scenarios::Scenario, stage::Stage};
use crate::arguments::Service;

/// The scenarios with what each is about.
pub(super) fn scenarios(printer: Printer) -> Result<(), Box<dyn Error>> {
    for (name, about) in Scenario::summaries() {
        printer.line(&format!("{name:<14} {about}"))?;
    }
    Ok(())
}

/// Each service with its instances and what it is for.
pub(super) fn services(printer: Printer) -> Result<(), Box<dyn Error>> {
    let mut instances: BTreeMap<Service, usize> = BTreeMap::new();
    for member in Fleet::members() {
        *instances.entry(member.service()).or_default() += 1;
    }
    printer.line("service         instances  what it does")?;
    for (service, number) in instances {
        printer.line(&format!("{:<15} {number:<10} {}", service.name(), task(service)))?;
    }
    Ok(())
}

/// Where each process listens, now that all are up.
pub(super) fn addresses(stage: &Stage) -> Result<(), Box<dyn Error>> {
    for (member, address, id) in stage.fleet.listening() {
        stage.printer.line(&format!("{:<17} http://{address} process {id}", member.to_string()))?;
    }
    Ok(())
}

const fn task(service: Service) -> &'static str {
    match service {
        Service::Gateway => "the front door: stateless, chooses an instance of orders",
        Service::Orders => "stores an order, the stock and an event in one transaction; relays the events",
        Service::Users => "knows the users of its shard",
        Service::Recommendations => "suggests more; fails and is slow on purpose",
        Service::Fulfilment => "packs what was ordered, and tells so",
        Service::Notifications => "tells the customer",
        Service::RecentOrders => "a read model: the recent orders of each user, from events",
        Service::Analytics => "counts what is ordered, from events",
    }
}
