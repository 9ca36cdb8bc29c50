//! Starting the export thread and the metrics that live on its runtime.

use std::{
    sync::{
        Arc, Mutex,
        mpsc::{SyncSender, sync_channel},
    },
    thread::{self, JoinHandle},
};

use throughline_core::{Value, suppress};
use tokio::{
    runtime::{Builder, Handle, Runtime},
    sync::watch,
};

use crate::{
    InitError,
    builder::{Plan, Signal},
    encode::request::Envelope,
    exporter::Exporter,
    metrics,
    queue::Queue,
    settings::Endpoint,
    transport::Transport,
    worker::{Orders, Worker},
};

const THREAD: &str = "throughline-export";

/// Starts everything that `plan` asks for.
pub(crate) fn exporter(plan: &Plan) -> Result<Exporter, InitError> {
    let queue = Queue::new(plan.queue_bytes_max, plan.batch_len);
    let (orders, for_worker) = watch::channel(Orders::default());
    let (flushed, for_guard) = watch::channel(0);
    let (is_done, done) = watch::channel(false);
    let worker_queue = Arc::clone(&queue);
    let envelope = Envelope::new(plan.resource.iter().map(|(key, value)| (key, Value::Str(value))));
    let (delay, batch_len, outage_budget) = (plan.delay, plan.batch_len, plan.outage_budget);
    let work = move |transport| Worker {
        queue: worker_queue,
        envelope,
        transport,
        delay,
        batch_len,
        outage_budget,
        orders: for_worker,
        flushed,
        failing: false,
    };
    let (thread, runtime) = spawn(plan.traces_endpoint.clone(), work, is_done)?;
    let metrics = match plan.metrics {
        Signal::Off => None,
        Signal::On => Some(
            metrics::provider(&plan.metrics_endpoint, plan.metric_interval, &plan.resource, &runtime, &queue)
                .map_err(|problem| InitError::new("metrics endpoint", &plan.metrics_endpoint.url, problem))?,
        ),
    };
    let recorder = metrics.as_ref().map(metrics::recorder);
    Ok(Exporter {
        queue,
        orders,
        flushed: for_guard,
        thread: Mutex::new(Some(thread)),
        done,
        metrics,
        recorder,
    })
}

/// Starts the thread, and waits until its runtime and its transport stand.
fn spawn(
    endpoint: Endpoint,
    work: impl FnOnce(Transport) -> Worker + Send + 'static,
    is_done: watch::Sender<bool>,
) -> Result<(JoinHandle<()>, Handle), InitError> {
    let url = endpoint.url.clone();
    let (started, start) = sync_channel(1);
    let thread = thread::Builder::new().name(THREAD.to_owned()).spawn(move || {
        let _suppressed = suppress();
        if let Some((runtime, transport)) = prepare(&endpoint, &started) {
            runtime.block_on(work(transport).run());
            // A name look-up that is still under way would be waited for, beyond any deadline.
            runtime.shutdown_background();
        }
        is_done.send_replace(true);
    });
    let thread = thread.map_err(|error| InitError::new("export thread", THREAD, error.to_string()))?;
    let runtime = start.recv().unwrap_or_else(|_| Err("the export thread ended".to_owned()));
    Ok((thread, runtime.map_err(|problem| InitError::new("endpoint", url, problem))?))
}

fn prepare(
    endpoint: &Endpoint,
    started: &SyncSender<Result<Handle, String>>,
) -> Option<(Runtime, Transport)> {
    let prepared = Builder::new_current_thread().enable_all().build().map_err(|error| error.to_string());
    let prepared = prepared.and_then(|runtime| {
        let transport = {
            let _runtime = runtime.enter();
            Transport::new(endpoint)?
        };
        Ok((runtime, transport))
    });
    let answer = prepared.as_ref().map(|(runtime, _)| runtime.handle().clone()).map_err(Clone::clone);
    let _nobody_waits = started.send(answer);
    prepared.ok()
}
