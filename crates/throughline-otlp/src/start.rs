//! Starting the export thread and the metrics that live on its runtime.

use std::{
    sync::{Arc, Mutex, mpsc::sync_channel},
    thread::{self, JoinHandle},
    time::Duration,
};

use throughline_core::{Value, suppress};
use tokio::{
    runtime::{Builder, Handle, Runtime},
    sync::watch,
};

use crate::{
    InitError,
    builder::{Batching, Plan, Signal},
    encode::request::Envelope,
    exporter::Exporter,
    metrics,
    queue::{Queue, RecordKind},
    settings::Endpoint,
    transport::Transport,
    worker::{Orders, Worker},
};

const THREAD: &str = "throughline-export";

/// Starts everything that `plan` asks for.
pub(crate) fn exporter(plan: &Plan) -> Result<Exporter, InitError> {
    let (orders, for_workers) = watch::channel(Orders::default());
    let (is_done, done) = watch::channel(false);
    let envelope = Envelope::new(plan.resource.iter().map(|(key, value)| (key, Value::Str(value))));
    let mut jobs = Vec::new();
    let mut flushed = Vec::new();
    let mut job = |kind, endpoint: &Endpoint, batching: Batching| {
        let queue = Queue::new(kind, batching.queue_bytes_max, batching.batch_len);
        let (progress, for_guard) = watch::channel(0);
        flushed.push(for_guard);
        jobs.push(Job {
            queue: Arc::clone(&queue),
            endpoint: endpoint.clone(),
            batching,
            outage_budget: plan.outage_budget,
            envelope: envelope.clone(),
            orders: for_workers.clone(),
            flushed: progress,
        });
        queue
    };
    let queue = job(RecordKind::Spans, &plan.traces_endpoint, plan.batching);
    let logs = match plan.logs {
        Signal::Off => None,
        Signal::On => Some(job(RecordKind::Logs, &plan.logs_endpoint, plan.log_batching)),
    };
    let (thread, runtime) = spawn(jobs, is_done)?;
    let metrics = match plan.metrics {
        Signal::Off => None,
        Signal::On => Some(
            metrics::provider(&plan.metrics_endpoint, plan.metric_interval, &plan.resource, &runtime, &queue)
                .map_err(|problem| InitError::new("metrics endpoint", &plan.metrics_endpoint.url, problem))?,
        ),
    };
    let recorder = metrics.as_ref().map(metrics::recorder);
    Ok(Exporter { queue, logs, orders, flushed, thread: Mutex::new(Some(thread)), done, metrics, recorder })
}

/// A worker that waits for its transport.
struct Job {
    queue: Arc<Queue>,
    endpoint: Endpoint,
    batching: Batching,
    outage_budget: Duration,
    envelope: Envelope,
    orders: watch::Receiver<Orders>,
    flushed: watch::Sender<u64>,
}

impl Job {
    /// Must be called on the export thread's runtime.
    fn worker(self) -> Result<Worker, InitError> {
        let transport = Transport::new(&self.endpoint, self.queue.kind)
            .map_err(|problem| InitError::new("endpoint", &self.endpoint.url, problem))?;
        Ok(Worker {
            queue: self.queue,
            envelope: self.envelope,
            transport,
            delay: self.batching.delay,
            batch_len: self.batching.batch_len,
            outage_budget: self.outage_budget,
            orders: self.orders,
            flushed: self.flushed,
            failing: false,
        })
    }
}

/// Starts the thread, and waits until its runtime and its transports stand.
fn spawn(jobs: Vec<Job>, is_done: watch::Sender<bool>) -> Result<(JoinHandle<()>, Handle), InitError> {
    let (started, start) = sync_channel(1);
    let thread = thread::Builder::new().name(THREAD.to_owned()).spawn(move || {
        let _suppressed = suppress();
        match prepare(jobs) {
            Err(error) => {
                let _nobody_waits = started.send(Err(error));
            }
            Ok((runtime, workers)) => {
                let _nobody_waits = started.send(Ok(runtime.handle().clone()));
                runtime.block_on(run(workers));
                // A name look-up that is still under way would be waited for, beyond any deadline.
                runtime.shutdown_background();
            }
        }
        is_done.send_replace(true);
    });
    let failed = |problem: String| InitError::new("export thread", THREAD, problem);
    let thread = thread.map_err(|error| failed(error.to_string()))?;
    let runtime = start.recv().unwrap_or_else(|_| Err(failed("the export thread ended".to_owned())));
    Ok((thread, runtime?))
}

fn prepare(jobs: Vec<Job>) -> Result<(Runtime, Vec<Worker>), InitError> {
    let runtime = Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| InitError::new("export thread", THREAD, error.to_string()))?;
    let workers = {
        let _runtime = runtime.enter();
        jobs.into_iter().map(Job::worker).collect::<Result<_, _>>()?
    };
    Ok((runtime, workers))
}

/// All workers side by side, until the last has ended.
async fn run(workers: Vec<Worker>) {
    let running: Vec<_> = workers.into_iter().map(|worker| tokio::spawn(worker.run())).collect();
    for worker in running {
        // Should one panic, the others go on.
        let _ended = worker.await;
    }
}
