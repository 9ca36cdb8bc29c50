//! The flags of the demo itself.

use std::{collections::BTreeMap, path::PathBuf};

use clap::Args;

use super::{Balance, DatabaseUrl, Protocol, Service, TelemetrySwitch};
use crate::{
    broker::BrokerUrl,
    demo::{LoadRate, Scenario},
    faults::Rate,
};

/// How the demo runs.
#[derive(Debug, Args)]
pub(crate) struct DemoArguments {
    /// Show this: see --list
    #[arg(long, value_enum, value_name = "NAME", conflicts_with_all = ["orders", "rate"], hide_possible_values = true)]
    pub(crate) scenario: Option<Scenario>,

    /// List the scenarios
    #[arg(long)]
    pub(crate) list: bool,

    /// List what runs where; with --keep-running, start it and wait until Ctrl-C
    #[arg(long, conflicts_with_all = ["list", "scenario", "orders", "rate"])]
    pub(crate) services: bool,

    /// Send so many orders one after the other and show the trace of each; with --rate, all at that pace and only count
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) orders: Option<u32>,

    /// Load: send so many orders a second, whether the shop keeps up or not, and compare all that was told of them
    #[arg(long, value_name = "R", requires = "orders")]
    pub(crate) rate: Option<LoadRate>,

    /// Kill so many instances of orders during the load
    #[arg(long, value_name = "N", default_value_t = 0, requires = "rate", value_parser = clap::value_parser!(u32).range(0..3))]
    pub(crate) kill_during_load: u32,

    /// Let every service export straight to this Collector, and print ids instead of trees
    #[arg(long, value_name = "URL", value_parser = http_url)]
    pub(crate) otlp: Option<String>,

    /// How the services export
    #[arg(long, value_enum, default_value_t = Protocol::Grpc)]
    pub(crate) protocol: Protocol,

    /// Also write what the demo's own receiver gets, as OTLP-JSON, one line for each export request
    #[arg(long, value_name = "PATH", conflicts_with = "otlp")]
    pub(crate) otlp_file: Option<PathBuf>,

    /// Write JSON log lines, one file a service
    #[arg(long, value_name = "DIR")]
    pub(crate) log_dir: Option<PathBuf>,

    /// Let a service fail that share of its work, as in users=0.5; may be given several times
    #[arg(long, value_name = "SERVICE=RATE", value_parser = fault)]
    pub(crate) fail: Vec<(Service, Rate)>,

    /// Keep the services running after the orders, until Ctrl-C
    #[arg(long)]
    pub(crate) keep_running: bool,

    /// Use this MQTT 5 broker instead of the embedded one, as in mqtt://127.0.0.1:1883
    #[arg(long, value_name = "URL")]
    pub(crate) broker: Option<BrokerUrl>,

    /// How the gateway chooses an instance of orders
    #[arg(long, value_enum, default_value_t)]
    pub(crate) balance: Balance,

    /// Keep the data there and not in SQLite files of a temporary folder: a folder, or postgres://…
    #[arg(long, value_name = "URL|PATH")]
    pub(crate) database: Option<DatabaseUrl>,

    /// Without telemetry, the services do the same and tell nothing
    #[arg(long, value_enum, default_value_t)]
    pub(crate) telemetry: TelemetrySwitch,

    /// Leave out ids, ports and times, so that the output is the same at each run
    #[arg(long)]
    pub(crate) steady: bool,
}

impl DemoArguments {
    /// How often each service is to fail; the last word on a service counts.
    pub(crate) fn faults(&self) -> BTreeMap<Service, Rate> {
        self.fail.iter().copied().collect()
    }
}

fn http_url(text: &str) -> Result<String, String> {
    let rest = text.strip_prefix("http://").ok_or("an address of the form http://HOST:PORT is wanted")?;
    if rest.is_empty() { Err("the host is missing".to_owned()) } else { Ok(text.to_owned()) }
}

fn fault(text: &str) -> Result<(Service, Rate), String> {
    let (service, rate) = text.split_once('=').ok_or("SERVICE=RATE is wanted, as in users=0.5")?;
    Ok((service.parse()?, rate.parse()?))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::arguments::Arguments;

    fn demo(arguments: &[&str]) -> Result<DemoArguments, String> {
        let all = std::iter::once("shop").chain(arguments.iter().copied());
        Arguments::try_parse_from(all).map(|parsed| parsed.demo).map_err(|error| error.to_string())
    }

    #[test]
    fn without_flags_nothing_is_chosen() {
        let demo = demo(&[]).unwrap();
        assert_eq!((demo.orders, demo.scenario, demo.protocol), (None, None, Protocol::Grpc));
        assert!(!demo.keep_running && !demo.steady);
    }

    #[test]
    fn bad_flags_are_named_with_what_is_wanted() {
        for (arguments, expected) in [
            (["--fail", "user=1"], "no service \"user\"; there are gateway, orders, users"),
            (["--fail", "users"], "SERVICE=RATE is wanted"),
            (["--fail", "users=1.5"], "between 0 and 1"),
            (["--otlp", "127.0.0.1:4317"], "http://HOST:PORT"),
            (["--broker", "amqp://x"], "mqtt://HOST:PORT"),
            (["--orders", "0"], "1..=100000"),
            (["--rate", "10"], "--orders <N>"),
            (["--scenario", "none"], "none"),
            (["--bogus", "1"], "--bogus"),
        ] {
            let error = demo(&arguments).unwrap_err();
            assert!(error.contains(expected), "{arguments:?}: {error}");
        }
    }

    #[test]
    fn a_load_may_kill_two_of_three_instances() {
        let load = |kill: &str| demo(&["--orders", "10", "--rate", "5", "--kill-during-load", kill]);
        assert_eq!(load("2").unwrap().kill_during_load, 2);
        assert!(load("3").unwrap_err().contains("0..3"));
    }

    #[test]
    fn a_file_of_what_the_receiver_got_needs_the_receiver() {
        assert!(demo(&["--otlp", "http://127.0.0.1:4317", "--otlp-file", "x"]).is_err());
    }
}
