//! All services of the shop, each a process of its own: started, killed, started again, ended.

mod command;
mod ledger;
mod line;
mod member;
mod process;
mod report;

use std::{collections::BTreeMap, error::Error, net::SocketAddr};

use tokio::sync::mpsc;

use crate::arguments::Service;
pub(super) use command::Plan;
pub(super) use ledger::{Ledger, Said};
pub(super) use line::Word;
pub(super) use member::Member;
pub(super) use process::Death;
use process::{End, ServiceProcess, Starting};
pub(super) use report::Report;

/// How many instances of each service run, in the order in which they need each other: a service is up before one that calls it is started.
const WAVES: [&[(Service, usize)]; 3] = [
    &[
        (Service::Users, 3),
        (Service::Recommendations, 1),
        (Service::Analytics, 1),
        (Service::RecentOrders, 1),
        (Service::Notifications, 1),
        (Service::Fulfilment, 1),
    ],
    &[(Service::Orders, 3)],
    &[(Service::Gateway, 1)],
];

/// The processes of the shop.
#[derive(Debug)]
pub(super) struct Fleet {
    plan: Plan,
    running: BTreeMap<Member, ServiceProcess>,
    ledger: Ledger,
    deaths: mpsc::UnboundedSender<Death>,
}

impl Fleet {
    /// None yet; a process that ends without having been told to is sent to `deaths`.
    pub(super) fn new(plan: Plan, deaths: mpsc::UnboundedSender<Death>) -> Self {
        Self { plan, running: BTreeMap::new(), ledger: Ledger::default(), deaths }
    }

    /// Starts all of them.
    pub(super) async fn start(&mut self) -> Result<(), Box<dyn Error>> {
        for wave in WAVES {
            let members: Vec<_> =
                wave.iter().flat_map(|&(service, instances)| Member::all(service, instances)).collect();
            self.start_together(&members).await?;
        }
        Ok(())
    }

    async fn start_together(&mut self, members: &[Member]) -> Result<(), Box<dyn Error>> {
        let begun: Result<Vec<_>, _> = members.iter().map(|member| self.begin(*member)).collect();
        for starting in begun? {
            self.finish(starting).await?;
        }
        Ok(())
    }

    fn begin(&self, member: Member) -> Result<Starting, Box<dyn Error>> {
        let arguments = self.plan.arguments(member, |service| self.addresses(service));
        Starting::spawn(member, &arguments)
    }

    async fn finish(&mut self, starting: Starting) -> Result<(), Box<dyn Error>> {
        let member = starting.member();
        let process = starting.ready(&self.ledger, &self.deaths).await?;
        self.running.insert(member, process);
        Ok(())
    }

    /// How many processes run.
    pub(super) fn len(&self) -> usize {
        self.running.len()
    }

    /// Where the instances of a service listen, in their order.
    pub(super) fn addresses(&self, service: Service) -> Vec<SocketAddr> {
        let own = self.running.iter().filter(|(member, _)| member.service() == service);
        own.filter_map(|(_, process)| process.address()).collect()
    }

    /// Where a process listens.
    pub(super) fn address(&self, member: Member) -> Result<SocketAddr, Box<dyn Error>> {
        let address = self.running.get(&member).and_then(ServiceProcess::address);
        address.ok_or_else(|| format!("{member} does not listen").into())
    }

    /// What the services have said.
    pub(super) const fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Asks all to end, the callers before the called, and waits for each: by then their telemetry is out.
    pub(super) async fn stop(&mut self) {
        for wave in WAVES.into_iter().rev() {
            let services: Vec<_> = wave.iter().map(|(service, _)| *service).collect();
            let ending: Vec<_> =
                self.running.extract_if(.., |member, _| services.contains(&member.service())).collect();
            for (_, process) in &ending {
                process.tell(End::Terminate);
            }
            for (_, process) in ending {
                process.end(End::Terminate).await;
            }
        }
    }
}
