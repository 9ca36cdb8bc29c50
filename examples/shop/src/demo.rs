//! The demo itself: starts everything, plays the customers, and shows what the services told about it.

mod child;
mod customer;
mod fleet;
mod tree;
mod watch;

use std::{error::Error, fs, path::Path, time::Duration};

use throughline_receiver::{OtlpJsonFile, Receiver};

use crate::{
    arguments::{DemoArguments, Service},
    broker,
};
use customer::Outcome;
use fleet::{Fleet, Plan};

/// How long the last message of an order may take to be handled.
const SETTLE_TIMEOUT: Duration = Duration::from_secs(30);
/// How long the spans of an order may take to arrive.
const ARRIVAL_TIMEOUT: Duration = Duration::from_secs(15);

/// Runs the demo as the command line says.
pub(crate) async fn run(arguments: DemoArguments) -> Result<(), Box<dyn Error>> {
    if let Some(folder) = &arguments.log_dir {
        make_folder(folder)?;
    }
    let receiver = match &arguments.otlp {
        None => Some(receive(&arguments).await?),
        Some(_) => None,
    };
    let broker = match &arguments.broker {
        None => broker::start_embedded().await?,
        Some(url) => {
            url.check("shop-check").await?;
            url.clone()
        }
    };
    let work = tempfile::tempdir()?;
    let plan = Plan {
        broker,
        database: work.path().join("orders.db"),
        otlp: endpoint(&arguments, receiver.as_ref()),
        protocol: arguments.protocol,
        log_dir: arguments.log_dir.clone(),
        faults: arguments.faults(),
    };
    eprintln!("shop: broker {}, telemetry to {} over {}", plan.broker, plan.otlp, plan.protocol.name());
    let mut fleet = Fleet::start(&plan).await?;
    eprintln!(
        "shop: {} processes of five services are up; sending {} orders\n",
        fleet.len(),
        arguments.orders
    );
    let shown = tokio::select! {
        shown = trade(&arguments, &mut fleet, receiver.as_ref()) => shown,
        () = throughline::shutdown_signal() => Err("interrupted; all services are ended".into()),
    };
    if arguments.keep_running && shown.is_ok() {
        println!("\nthe gateway is at http://{}; Ctrl-C ends all", fleet.gateway());
        throughline::shutdown_signal().await;
    }
    fleet.stop().await;
    shown
}

/// Sends the orders one after the other and shows each.
async fn trade(
    arguments: &DemoArguments,
    fleet: &mut Fleet,
    receiver: Option<&Receiver>,
) -> Result<(), Box<dyn Error>> {
    let http = reqwest::Client::new();
    for number in 1..=arguments.orders {
        let outcome = customer::order(&http, fleet.gateway(), number).await?;
        let last = fleet.settle(&outcome, SETTLE_TIMEOUT).await?;
        match receiver {
            None => print_ids(number, &outcome),
            Some(receiver) => show(receiver, number, &outcome, last).await?,
        }
    }
    Ok(())
}

/// Waits until the order's trace is whole, then prints it.
async fn show(
    receiver: &Receiver,
    number: u32,
    outcome: &Outcome,
    last: Service,
) -> Result<(), Box<dyn Error>> {
    let trace = watch::whole_trace(receiver, outcome.trace_id(), last, ARRIVAL_TIMEOUT).await?;
    print_ids(number, outcome);
    println!("{}\n", tree::render(&trace));
    Ok(())
}

fn print_ids(number: u32, outcome: &Outcome) {
    println!(
        "order {number}  trace_id={}  correlation_id={}  status={}",
        outcome.trace_id(),
        outcome.correlation_id(),
        outcome.status()
    );
}

async fn receive(arguments: &DemoArguments) -> Result<Receiver, Box<dyn Error>> {
    let mut builder = Receiver::builder();
    if let Some(path) = &arguments.otlp_file {
        let file = OtlpJsonFile::create(path)
            .map_err(|error| format!("cannot write --otlp-file {}: {error}", path.display()))?;
        builder = builder.tap(file);
    }
    Ok(builder.start().await?)
}

fn endpoint(arguments: &DemoArguments, receiver: Option<&Receiver>) -> String {
    use crate::arguments::Protocol;
    match (&arguments.otlp, receiver, arguments.protocol) {
        (Some(url), ..) => url.clone(),
        (None, Some(receiver), Protocol::Grpc) => receiver.grpc_endpoint(),
        (None, Some(receiver), Protocol::HttpProtobuf) => receiver.http_endpoint(),
        (None, None, _) => String::new(),
    }
}

fn make_folder(folder: &Path) -> Result<(), Box<dyn Error>> {
    fs::create_dir_all(folder)
        .map_err(|error| format!("cannot make --log-dir {}: {error}", folder.display()).into())
}
