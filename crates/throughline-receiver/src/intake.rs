//! The way of a request from either protocol into the store.

use std::{fmt, sync::Arc};

use tokio::sync::Notify;

use crate::{
    BadAnswer, Behaviour, Outcome, Received, RequestInfo,
    answer::Answer,
    batch::Batch,
    behaviour::{Behaviours, Refusal},
    export_response::ExportResponse,
    request::Arrival,
    rpc_status::Failure,
    store::{RequestKey, Store},
    tap::Tap,
};

/// Where both protocols meet: what a request brings is decoded, judged by the behaviour, tapped and stored.
pub(crate) struct Intake {
    pub(crate) received: Received,
    pub(crate) behaviours: Behaviours,
    pub(crate) taps: Vec<Box<dyn Tap>>,
    pub(crate) request_bytes_max: usize,
}

/// The connection on which a request came, as far as a request may act on it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Connection(Arc<Notify>);

impl Connection {
    /// Cuts the connection; the request that asks for it ends here.
    async fn cut(&self) -> Failure {
        self.0.notify_one();
        std::future::pending().await
    }

    /// Waits until a request cuts the connection.
    pub(crate) async fn is_cut(&self) {
        self.0.notified().await;
    }
}

impl Intake {
    /// Takes a request whose body is protobuf by now, or couldn't be made so.
    pub(crate) async fn receive(
        &self,
        arrival: Arrival,
        body: Result<impl AsRef<[u8]>, Failure>,
        connection: &Connection,
    ) -> Result<Answer, Failure> {
        let signal = arrival.signal;
        let decoded = body.and_then(|bytes| {
            Batch::decode(signal, bytes.as_ref(), !self.taps.is_empty()).map_err(Failure::malformed)
        });
        let (mut batch, line) = match decoded {
            Ok(decoded) => decoded,
            Err(failure) => {
                self.invalid(arrival);
                return Err(failure);
            }
        };
        let pending = Pending::note(self.received.store(), arrival.info(batch.len(), Outcome::Pending));
        let (outcome, answer) = match self.conduct().await {
            Conduct::Refuse(refusal) => {
                pending.settle(Outcome::Refused, None);
                return Err(refused(&refusal));
            }
            Conduct::Disconnect => {
                pending.settle(Outcome::Disconnected, None);
                return Err(connection.cut().await);
            }
            Conduct::Accept => (Outcome::Accepted, Answer::Proper(ExportResponse::full())),
            Conduct::AnswerBadly(bad) => (Outcome::Accepted, Answer::Bad(bad)),
            Conduct::Partly { rejected, message } => {
                let rejected = usize::try_from(rejected).unwrap_or(usize::MAX).min(batch.len());
                batch.reject_last(rejected);
                (Outcome::PartlyAccepted, Answer::Proper(ExportResponse::partial(rejected, message)))
            }
        };
        if let Some(line) = line {
            self.taps.iter().for_each(|tap| tap.line(signal, &line));
        }
        pending.settle(outcome, Some(batch));
        Ok(answer)
    }

    /// Notes a request of which nothing can be used.
    pub(crate) fn invalid(&self, arrival: Arrival) {
        self.received.store().request(arrival.info(0, Outcome::Invalid));
    }

    /// What to do with one request, as soon as that is decided.
    async fn conduct(&self) -> Conduct {
        loop {
            let (behaviour, mut changes) = self.behaviours.take();
            match behaviour {
                Behaviour::Accept => return Conduct::Accept,
                Behaviour::Refuse(refusal) => return Conduct::Refuse(refusal),
                Behaviour::PartialSuccess { rejected, message } => {
                    return Conduct::Partly { rejected, message };
                }
                Behaviour::Slow(delay) => {
                    tokio::time::sleep(delay).await;
                    return Conduct::Accept;
                }
                Behaviour::AnswerBadly(bad) => return Conduct::AnswerBadly(bad),
                Behaviour::Disconnect => return Conduct::Disconnect,
                Behaviour::Hang => {
                    if changes.changed().await.is_err() {
                        return Conduct::Disconnect;
                    }
                }
            }
        }
    }
}

impl fmt::Debug for Intake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Intake").field("behaviours", &self.behaviours).finish_non_exhaustive()
    }
}

/// A request that isn't settled; if its task is dropped before it is, nobody waits for the answer any more.
struct Pending<'a> {
    store: &'a Store,
    key: Option<RequestKey>,
}

impl<'a> Pending<'a> {
    fn note(store: &'a Store, info: RequestInfo) -> Self {
        Self { store, key: Some(store.request(info)) }
    }

    fn settle(mut self, outcome: Outcome, batch: Option<Batch>) {
        if let Some(key) = self.key.take() {
            self.store.settle(key, outcome, batch);
        }
    }
}

impl Drop for Pending<'_> {
    fn drop(&mut self) {
        if let Some(key) = self.key.take() {
            self.store.settle(key, Outcome::Abandoned, None);
        }
    }
}

enum Conduct {
    Accept,
    AnswerBadly(BadAnswer),
    Partly { rejected: u64, message: String },
    Refuse(Refusal),
    Disconnect,
}

fn refused(refusal: &Refusal) -> Failure {
    Failure {
        retry_after: refusal.retry_after,
        ..Failure::new(refusal.http_status, refusal.grpc_code, "refused, as this receiver was told to")
    }
}
