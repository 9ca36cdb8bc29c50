//! Starting the export thread and the metrics that live on its runtime.

use std::{
    sync::{Arc, Mutex, mpsc::sync_channel},
    thread::{self, JoinHandle},
};

use throughline_core::suppress;
use tokio::{
    runtime::{Builder, Handle, Runtime},
    sync::watch,
};

use crate::{
    InitError, Signal,
    encode::request::Envelope,
    exporter::Exporter,
    metrics,
    plan::{Batching, Plan, Way},
    queue::Queue,
    seldom::Seldom,
    signal_kind::SignalKind,
    transport::Transports,
    worker::{Orders, Worker},
};

const THREAD: &str = "throughline-export";

/// Starts everything that `plan` asks for.
pub(crate) fn exporter(plan: &Plan) -> Result<Exporter, InitError> {
    let (orders, for_workers) = watch::channel(Orders::default());
    let (is_done, done) = watch::channel(false);
    let envelope = Envelope::new(plan.resource.values());
    let mut jobs = Vec::new();
    let mut flushed = Vec::new();
    let mut job = |kind, ways: &[Way], batching: Batching| {
        let queue = Queue::new(kind, batching.queue_bytes_max, batching.queue_len_max, batching.batch_len);
        let (progress, for_guard) = watch::channel(0);
        flushed.push(for_guard);
        jobs.push(Job {
            queue: Arc::clone(&queue),
            ways: ways.to_vec(),
            batching,
            request_bytes_max: plan.request_bytes_max,
            envelope: envelope.clone(),
            orders: for_workers.clone(),
            flushed: progress,
        });
        queue
    };
    let queue = job(SignalKind::Traces, &plan.traces, plan.batching);
    let logs = (!plan.logs.is_empty()).then(|| job(SignalKind::Logs, &plan.logs, plan.log_batching));
    let (thread, runtime) = spawn(jobs, is_done)?;
    let metrics = if plan.metrics.ways.is_empty() {
        None
    } else {
        let provider = metrics::provider(&plan.metrics, &plan.resource, &runtime, &queue)?;
        if plan.own_metrics == Signal::On {
            metrics::observe(&provider, &queue, &plan.traces);
            logs.iter().for_each(|logs| metrics::observe(&provider, logs, &plan.logs));
        }
        Some(provider)
    };
    let recorder = metrics.as_ref().map(metrics::recorder);
    Ok(Exporter { queue, logs, orders, flushed, thread: Mutex::new(Some(thread)), done, metrics, recorder })
}

/// A worker that waits for its transport.
struct Job {
    queue: Arc<Queue>,
    ways: Vec<Way>,
    batching: Batching,
    request_bytes_max: usize,
    envelope: Envelope,
    orders: watch::Receiver<Orders>,
    flushed: watch::Sender<u64>,
}

impl Job {
    /// Must be called on the export thread's runtime.
    fn worker(self) -> Result<Worker, InitError> {
        let transports = Transports::new(self.queue.kind, &self.ways)?;
        Ok(Worker {
            queue: self.queue,
            envelope: self.envelope,
            transports,
            delay: self.batching.delay,
            batch_len: self.batching.batch_len,
            request_bytes_max: self.request_bytes_max,
            outage_budget: self.batching.outage_budget,
            orders: self.orders,
            flushed: self.flushed,
            failing: false,
            losses: Seldom::default(),
            copy_losses: Seldom::default(),
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
