//! All services of the demo, started in the order in which they need each other.

use std::{collections::BTreeMap, error::Error, net::SocketAddr, path::PathBuf, time::Duration};

use tokio::{sync::mpsc, time::timeout};

use super::{
    child::{Handled, ServiceProcess},
    customer::Outcome,
};
use crate::{
    arguments::{Protocol, Service},
    broker::BrokerUrl,
    faults::Rate,
};

const ORDERS_INSTANCES: usize = 2;
const USERS_SHARDS: usize = 2;

/// What all services are told.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) broker: BrokerUrl,
    pub(super) database: PathBuf,
    pub(super) otlp: String,
    pub(super) protocol: Protocol,
    pub(super) log_dir: Option<PathBuf>,
    pub(super) faults: BTreeMap<Service, Rate>,
}

/// The running services, front door last.
#[derive(Debug)]
pub(super) struct Fleet {
    services: Vec<ServiceProcess>,
    gateway: SocketAddr,
    handled: mpsc::UnboundedReceiver<Handled>,
}

impl Fleet {
    /// Starts users and the consumers, then orders, then the gateway.
    pub(super) async fn start(plan: &Plan) -> Result<Self, Box<dyn Error>> {
        let (sender, handled) = mpsc::unbounded_channel();
        let mut starter = Starter { plan, handled: sender, services: Vec::new() };
        let shards = starter.start(Service::Users, USERS_SHARDS, &[]).await?;
        starter.start(Service::Notifications, 1, &[]).await?;
        starter.start(Service::Fulfilment, 1, &[]).await?;
        let orders = starter.start(Service::Orders, ORDERS_INSTANCES, &shards).await?;
        let gateway = starter.start(Service::Gateway, 1, &orders).await?;
        let gateway = gateway.first().copied().ok_or("the gateway does not listen")?;
        Ok(Self { services: starter.services, gateway, handled })
    }

    /// How many processes run.
    pub(super) fn len(&self) -> usize {
        self.services.len()
    }

    pub(super) const fn gateway(&self) -> SocketAddr {
        self.gateway
    }

    /// Waits until the order has gone as far as it will go, and says which service was the last to see it.
    pub(super) async fn settle(
        &mut self,
        outcome: &Outcome,
        limit: Duration,
    ) -> Result<Service, Box<dyn Error>> {
        let Some(order) = outcome.order() else {
            return Ok(Service::Gateway);
        };
        let last = async {
            while let Some(handled) = self.handled.recv().await {
                let ended = !handled.well || handled.service == Service::Notifications;
                if handled.order == order && ended {
                    return Ok(handled.service);
                }
            }
            Err("the services have ended")
        };
        let last = timeout(limit, last).await;
        Ok(last.map_err(|_| format!("order {order} was not handled within {limit:?}"))??)
    }

    /// Ends all services, front door first, and waits for each.
    pub(super) async fn stop(self) {
        for service in self.services.into_iter().rev() {
            service.stop().await;
        }
    }
}

struct Starter<'a> {
    plan: &'a Plan,
    handled: mpsc::UnboundedSender<Handled>,
    services: Vec<ServiceProcess>,
}

impl Starter<'_> {
    /// Starts `instances` of a service, and returns where they listen.
    async fn start(
        &mut self,
        service: Service,
        instances: usize,
        peers: &[SocketAddr],
    ) -> Result<Vec<SocketAddr>, Box<dyn Error>> {
        let mut addresses = Vec::new();
        for instance in 1..=instances {
            let arguments = self.plan.arguments(service, instance, peers);
            let (process, address) = ServiceProcess::start(service, arguments, self.handled.clone()).await?;
            self.services.push(process);
            addresses.extend(address);
        }
        Ok(addresses)
    }
}

impl Plan {
    /// The command line of one service.
    fn arguments(&self, service: Service, instance: usize, peers: &[SocketAddr]) -> Vec<String> {
        let mut arguments = vec![service.name().to_owned()];
        let mut flag = |name: &str, value: String| arguments.extend([format!("--{name}"), value]);
        flag("instance", instance.to_string());
        flag("otlp", self.otlp.clone());
        flag("protocol", self.protocol.name().to_owned());
        flag("broker", self.broker.to_string());
        flag("database", self.database.to_string_lossy().into_owned());
        for peer in peers {
            flag("peer", peer.to_string());
        }
        if let Some(rate) = self.faults.get(&service) {
            flag("fail", rate.to_string());
        }
        if let Some(folder) = &self.log_dir {
            flag("log-file", folder.join(format!("{}.jsonl", service.name())).to_string_lossy().into_owned());
        }
        arguments
    }
}
