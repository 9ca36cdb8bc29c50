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

/// How many instances of orders a fleet begins with.
pub(super) const ORDERS_INSTANCES: usize = 3;
/// How many shards of users it begins with.
const USERS_SHARDS: usize = 3;

/// How many instances of each service run, in the order in which they need each other: a service is up before one that calls it is started.
const WAVES: [&[(Service, usize)]; 3] = [
    &[
        (Service::Users, USERS_SHARDS),
        (Service::Recommendations, 1),
        (Service::Notifications, 1),
        (Service::Fulfilment, 1),
        (Service::RecentOrders, 1),
        (Service::Analytics, 1),
    ],
    &[(Service::Orders, ORDERS_INSTANCES)],
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

    /// Every process that a fleet begins with.
    pub(super) fn members() -> impl Iterator<Item = Member> {
        WAVES.into_iter().flatten().flat_map(|&(service, instances)| Member::all(service, instances))
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
        let begun: Result<Vec<_>, _> = members.iter().map(|member| self.begin(*member, None)).collect();
        for starting in begun? {
            self.finish(starting).await?;
        }
        Ok(())
    }

    /// Ends a process as a crash does: it has no time to say or send anything.
    pub(super) async fn kill(&mut self, member: Member) -> Result<Killed, Box<dyn Error>> {
        let process = self.running.remove(&member).ok_or_else(|| format!("{member} does not run"))?;
        let address = process.address();
        process.end(End::Kill).await;
        Ok(Killed { member, address })
    }

    /// Starts a killed process again, at its old address.
    pub(super) async fn restart(&mut self, killed: Killed) -> Result<(), Box<dyn Error>> {
        let starting = self.begin(killed.member, Some(killed.address))?;
        self.finish(starting).await
    }

    /// Starts one more instance of a service; the others don't know of it yet.
    pub(super) async fn add(&mut self, service: Service) -> Result<Member, Box<dyn Error>> {
        let member = Member::new(service, self.members_of(service).count() + 1);
        let starting = self.begin(member, None)?;
        self.finish(starting).await?;
        Ok(member)
    }

    fn begin(&self, member: Member, address: Option<SocketAddr>) -> Result<Starting, Box<dyn Error>> {
        let arguments = self.plan.arguments(member, address, |service| self.addresses(service));
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

    /// The instances of a service that run.
    pub(super) fn members_of(&self, service: Service) -> impl Iterator<Item = Member> {
        self.running.keys().copied().filter(move |member| member.service() == service)
    }

    /// Where the instances of a service listen, in their order.
    pub(super) fn addresses(&self, service: Service) -> Vec<SocketAddr> {
        let own = self.running.iter().filter(|(member, _)| member.service() == service);
        own.map(|(_, process)| process.address()).collect()
    }

    /// Each process with its address and its process id.
    pub(super) fn listening(&self) -> impl Iterator<Item = (Member, SocketAddr, u32)> {
        self.running.iter().map(|(member, process)| (*member, process.address(), process.id()))
    }

    /// Where a process listens.
    pub(super) fn address(&self, member: Member) -> Result<SocketAddr, Box<dyn Error>> {
        let address = self.running.get(&member).map(ServiceProcess::address);
        address.ok_or_else(|| format!("{member} does not run").into())
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

/// A process that was killed, and where it listened.
#[derive(Debug)]
#[must_use = "a killed process can be started again"]
pub(super) struct Killed {
    member: Member,
    address: SocketAddr,
}
