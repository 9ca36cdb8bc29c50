//! What everything that the demo does needs: the shop itself, a customer, and what the services tell.

use std::{error::Error, fs, path::Path, time::Duration};

use tempfile::TempDir;
use throughline_receiver::{OtlpJsonFile, Receiver};
use throughline_testing::SpanTree;
use tokio::sync::mpsc;

use super::{
    customer::{Customer, Outcome},
    fleet::{Death, Fleet, Member, Plan, Report},
    journey,
    picture::{self, Look},
    printer::Printer,
    watch,
};
use crate::{
    arguments::{DatabaseUrl, DemoArguments, Protocol, Service},
    broker::{self, BrokerUrl},
};

/// How long the last message of an order may take to be handled.
const SETTLE_TIMEOUT: Duration = Duration::from_secs(30);
/// How long the spans of an order may take to arrive.
const ARRIVAL_TIMEOUT: Duration = Duration::from_secs(15);

/// The shop with all that surrounds it.
#[derive(Debug)]
pub(super) struct Stage {
    pub(super) fleet: Fleet,
    pub(super) printer: Printer,
    /// Where nothing else gets the telemetry.
    receiver: Option<Receiver>,
    shown: u32,
    /// Holds the databases.
    _work: TempDir,
}

impl Stage {
    /// Everything but the services themselves.
    pub(super) async fn set(
        arguments: &DemoArguments,
        deaths: mpsc::UnboundedSender<Death>,
    ) -> Result<Self, Box<dyn Error>> {
        if let Some(folder) = &arguments.log_dir {
            make_folder(folder)?;
        }
        let receiver = match &arguments.otlp {
            None => Some(receive(arguments).await?),
            Some(_) => None,
        };
        let work = tempfile::tempdir()?;
        let plan = Plan {
            broker: broker(arguments).await?,
            database: DatabaseUrl::Folder(work.path().to_owned()),
            otlp: endpoint(arguments, receiver.as_ref()),
            protocol: arguments.protocol,
            log_dir: arguments.log_dir.clone(),
            faults: arguments.faults(),
        };
        eprintln!("shop: broker {}, telemetry to {} over {}", plan.broker, plan.otlp, plan.protocol.name());
        let look = if arguments.steady { Look::Steady } else { Look::Live };
        Ok(Self {
            fleet: Fleet::new(plan, deaths),
            printer: Printer::new(look),
            receiver,
            shown: 0,
            _work: work,
        })
    }

    /// Starts the services.
    pub(super) async fn open(&mut self) -> Result<(), Box<dyn Error>> {
        self.fleet.start().await?;
        eprintln!("shop: {} processes are up\n", self.fleet.len());
        Ok(())
    }

    /// Somebody who wants to buy.
    pub(super) fn customer(&self) -> Result<Customer, Box<dyn Error>> {
        Ok(Customer::new(self.fleet.address(Member::new(Service::Gateway, 1))?))
    }

    /// Waits until an order has gone as far as it will go, then prints its ids and its trace.
    pub(super) async fn show(&mut self, outcome: &Outcome) -> Result<(), Box<dyn Error>> {
        let tree = self.trace_of(outcome).await?;
        self.shown += 1;
        self.printer.line(&self.heading(outcome))?;
        if let Some(tree) = tree {
            self.printer.line(&format!("{}\n", picture::draw(&tree, self.printer.look())))?;
        }
        Ok(())
    }

    /// The whole trace of an order; `None` where it goes elsewhere.
    async fn trace_of(&self, outcome: &Outcome) -> Result<Option<SpanTree>, Box<dyn Error>> {
        let messages = match outcome.order() {
            None => Vec::new(),
            Some(order) => {
                let what = format!("order {order} is handled");
                self.fleet
                    .ledger()
                    .wait_for(&what, SETTLE_TIMEOUT, |said| journey::is_over(said, order))
                    .await?;
                self.fleet.ledger().read(|said| journey::messages(said, order))
            }
        };
        let Some(receiver) = &self.receiver else { return Ok(None) };
        Ok(Some(watch::whole_trace(receiver, outcome.trace_id(), &messages, ARRIVAL_TIMEOUT).await?))
    }

    fn heading(&self, outcome: &Outcome) -> String {
        let (number, status) = (self.shown, outcome.status());
        if self.printer.look().is_steady() {
            return format!("order {number}  status={status}");
        }
        let (trace, correlation) = (outcome.trace_id(), outcome.correlation_id());
        format!("order {number}  trace_id={trace}  correlation_id={correlation}  status={status}")
    }

    /// Ends all services, and tells what became of their telemetry.
    pub(super) async fn close(&mut self) {
        self.fleet.stop().await;
        let (reports, sum) = self.fleet.ledger().read(|said| {
            let reports: Vec<Report> = said.reports().map(|(_, report)| report).collect();
            (reports.len(), reports.into_iter().sum::<Report>())
        });
        if reports > 0 {
            eprintln!("shop: {} orders shown; {reports} services report {sum}", self.shown);
        }
    }
}

async fn broker(arguments: &DemoArguments) -> Result<BrokerUrl, Box<dyn Error>> {
    match &arguments.broker {
        None => broker::start_embedded().await,
        Some(url) => {
            url.check("shop-check").await?;
            Ok(url.clone())
        }
    }
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
