//! The command line of each process.

use std::{collections::BTreeMap, net::SocketAddr, path::PathBuf};

use clap::ValueEnum;

use super::Member;
use crate::{
    arguments::{Balance, DatabaseUrl, Protocol, Service, TelemetrySwitch},
    broker::BrokerUrl,
    faults::Rate,
};

/// What all services are told.
#[derive(Debug)]
pub(in crate::demo) struct Plan {
    pub(in crate::demo) broker: BrokerUrl,
    pub(in crate::demo) database: DatabaseUrl,
    pub(in crate::demo) otlp: String,
    pub(in crate::demo) protocol: Protocol,
    pub(in crate::demo) telemetry: TelemetrySwitch,
    pub(in crate::demo) balance: Balance,
    pub(in crate::demo) log_dir: Option<PathBuf>,
    pub(in crate::demo) faults: BTreeMap<Service, Rate>,
}

/// Whom a service calls.
const fn peers(service: Service) -> &'static [Service] {
    match service {
        Service::Gateway => &[Service::Orders, Service::Recommendations, Service::RecentOrders],
        Service::Orders => &[Service::Users],
        _ => &[],
    }
}

impl Plan {
    /// The command line of one process, which listens at `address` if that is given.
    pub(super) fn arguments(
        &self,
        member: Member,
        address: Option<SocketAddr>,
        running: impl Fn(Service) -> Vec<SocketAddr>,
    ) -> Vec<String> {
        let service = member.service();
        let mut arguments = vec![service.name().to_owned(), "--until-stdin-closes".to_owned()];
        let mut flag = |name: &str, value: String| arguments.extend([format!("--{name}"), value]);
        flag("instance", member.instance().to_string());
        flag("otlp", self.otlp.clone());
        flag("protocol", self.protocol.name().to_owned());
        flag("telemetry", name(&self.telemetry));
        flag("balance", name(&self.balance));
        flag("broker", self.broker.to_string());
        flag("database", self.database.argument());
        if let Some(address) = address {
            flag("listen", address.to_string());
        }
        for peer in peers(service) {
            for address in running(*peer) {
                flag("peer", format!("{}={address}", peer.name()));
            }
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

/// What a choice is called on the command line.
fn name(choice: &impl ValueEnum) -> String {
    choice.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
}
