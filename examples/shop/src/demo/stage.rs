//! What everything that the demo does needs: the shop itself, a customer, and what the services tell.

use std::{error::Error, fs, path::Path, time::Duration};

use serde_json::Value;
use tempfile::TempDir;
use throughline_receiver::{OtlpJsonFile, Received, Receiver};
use throughline_testing::SpanTree;
use tokio::sync::mpsc;

use super::{
    control::{Control, Faults},
    customer::{Customer, Outcome},
    fleet::{Death, Fleet, Member, Plan, Report},
    journey,
    picture::{self, Part},
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
    pub(super) control: Control,
    /// Where nothing else gets the telemetry.
    receiver: Option<Receiver>,
    /// How many orders were shown, in all and in this scenario.
    shown: u32,
    number: u32,
    /// Holds the databases.
    _work: TempDir,
}

impl Stage {
    /// Everything but the services themselves.
    pub(super) async fn set(
        arguments: &DemoArguments,
        printer: Printer,
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
            database: arguments
                .database
                .clone()
                .unwrap_or_else(|| DatabaseUrl::Folder(work.path().to_owned())),
            otlp: endpoint(arguments, receiver.as_ref()),
            protocol: arguments.protocol,
            telemetry: arguments.telemetry,
            balance: arguments.balance,
            log_dir: arguments.log_dir.clone(),
            faults: arguments.faults(),
        };
        eprintln!("shop: broker {}, telemetry to {} over {}", plan.broker, plan.otlp, plan.protocol.name());
        Ok(Self {
            fleet: Fleet::new(plan, deaths),
            printer,
            control: Control::default(),
            receiver,
            shown: 0,
            number: 0,
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

    /// The orders of a scenario are counted from 1.
    pub(super) fn begin_scenario(&mut self) {
        self.number = 0;
    }

    /// Says what happens next.
    pub(super) fn step(&self, text: &str) -> Result<(), Box<dyn Error>> {
        Ok(self.printer.line(&format!("» {text}\n"))?)
    }

    /// Tells every instance of a service what to fail at.
    pub(super) async fn fault(&self, service: Service, faults: Faults) -> Result<(), Box<dyn Error>> {
        self.control.fault(&self.fleet, service, faults).await
    }

    /// Waits until an order has gone as far as it will go, then prints its ids and its whole trace.
    pub(super) async fn show(&mut self, outcome: &Outcome) -> Result<(), Box<dyn Error>> {
        self.show_part(outcome, Part::Whole).await
    }

    /// The same with a part of the trace.
    pub(super) async fn show_part(&mut self, outcome: &Outcome, part: Part) -> Result<(), Box<dyn Error>> {
        let tree = self.trace_of(outcome).await?;
        self.number += 1;
        self.shown += 1;
        self.printer.line(&self.heading(outcome))?;
        if let Some(tree) = tree {
            self.printer.line(&picture::draw(&tree, part, self.printer.look()))?;
        }
        Ok(self.printer.line("")?)
    }

    /// What this process gets of what the services tell.
    pub(super) fn received(&self) -> Option<&Received> {
        self.receiver.as_ref().map(Receiver::received)
    }

    /// Whether this process gets what the services tell.
    pub(super) const fn has_traces(&self) -> bool {
        self.receiver.is_some()
    }

    /// Waits until an order has gone as far as it will go.
    pub(super) async fn settle(&self, outcome: &Outcome) -> Result<(), Box<dyn Error>> {
        let Some(order) = outcome.order() else { return Ok(()) };
        let what = format!("order {order} is handled");
        self.fleet.ledger().wait_for(&what, SETTLE_TIMEOUT, |said| journey::is_over(said, order)).await
    }

    /// The whole trace of an order, once it has settled; `None` where traces go elsewhere, or nowhere.
    pub(super) async fn trace_of(&self, outcome: &Outcome) -> Result<Option<SpanTree>, Box<dyn Error>> {
        self.settle(outcome).await?;
        let (Some(receiver), Some(trace_id)) = (&self.receiver, outcome.trace_id()) else { return Ok(None) };
        let attempts = outcome
            .order()
            .map(|order| self.fleet.ledger().read(|said| journey::attempts(said, order)))
            .unwrap_or_default();
        Ok(Some(watch::whole_trace(receiver, trace_id, &attempts, ARRIVAL_TIMEOUT).await?))
    }

    fn heading(&self, outcome: &Outcome) -> String {
        let mut heading = format!("order {}", self.number);
        if !self.printer.look().is_steady() {
            let trace_id = outcome.trace_id().unwrap_or("none");
            heading += &format!("  trace_id={trace_id}  correlation_id={}", outcome.correlation_id());
        }
        heading += &format!("  status={}", outcome.status().as_u16());
        if let Some(degraded) = outcome.degraded() {
            heading += &format!("  x-degraded={degraded}");
        }
        heading
    }

    /// Asks the read model, and prints what it says of itself.
    pub(super) async fn show_recent_orders(&self, user: u32) -> Result<(), Box<dyn Error>> {
        let answer = self.customer()?.recent_orders(user).await?;
        let number = answer.get("orders").and_then(Value::as_array).map_or(0, Vec::len);
        let cache = answer.get("cache").and_then(Value::as_str).unwrap_or("none");
        let lag = answer.get("lag_ms").map(Value::to_string).filter(|_| !self.printer.look().is_steady());
        let lag = lag.map_or_else(String::new, |lag| format!(", lag {lag} ms"));
        let plural = if number == 1 { "" } else { "s" };
        self.step(&format!("GET /users/{user}/recent-orders: {number} order{plural}, cache {cache}{lag}"))
    }

    /// Ends all services, and tells what became of their telemetry; nothing happens if that was done already.
    pub(super) async fn close(&mut self) {
        if self.fleet.len() == 0 {
            return;
        }
        self.fleet.stop().await;
        let reports: Vec<Report> =
            self.fleet.ledger().read(|said| said.reports().map(|(_, report)| report).collect());
        let (processes, sum) = (reports.len(), reports.into_iter().sum::<Report>());
        eprintln!("shop: {} orders shown; {processes} processes report {sum}", self.shown);
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
