//! The flags of the demo itself.

use std::{collections::BTreeMap, path::PathBuf};

use clap::{Args, ValueEnum};

use super::{Protocol, Service};
use crate::{broker::BrokerUrl, faults::Rate};

/// How the demo runs.
#[derive(Debug, Args)]
pub(crate) struct DemoArguments {
    /// How many orders to send
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) orders: u32,

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
    Ok((Service::from_str(service, false).map_err(|_| unknown_service(service))?, rate.parse()?))
}

fn unknown_service(name: &str) -> String {
    let known: Vec<_> = Service::value_variants().iter().map(|service| service.name()).collect();
    format!("no service {name:?}; there are {}", known.join(", "))
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
    fn without_flags_two_orders_are_sent() {
        let demo = demo(&[]).unwrap();
        assert_eq!((demo.orders, demo.protocol, demo.keep_running), (2, Protocol::Grpc, false));
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
            (["--bogus", "1"], "--bogus"),
        ] {
            let error = demo(&arguments).unwrap_err();
            assert!(error.contains(expected), "{arguments:?}: {error}");
        }
    }

    #[test]
    fn a_file_of_what_the_receiver_got_needs_the_receiver() {
        assert!(demo(&["--otlp", "http://127.0.0.1:4317", "--otlp-file", "x"]).is_err());
    }
}
