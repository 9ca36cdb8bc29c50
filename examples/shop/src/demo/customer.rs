//! A customer: somebody outside, who sends an order with a correlation id and an idempotency key of their own.

use std::{error::Error, fmt, net::SocketAddr};

use reqwest::{Response, StatusCode};
use serde_json::{Value, json};

const ITEMS: [&str; 4] = ["teapot", "umbrella", "lantern", "compass"];

/// Somebody who knows the address of the gateway, and nothing else of the shop.
#[derive(Clone, Debug)]
pub(super) struct Customer {
    http: reqwest::Client,
    gateway: SocketAddr,
}

/// What the shop answered to an order.
#[derive(Clone, Debug)]
pub(super) struct Outcome {
    status: StatusCode,
    order: Option<i64>,
    trace_id: Option<String>,
    correlation_id: String,
    degraded: Option<String>,
    retry_after: Option<String>,
}

/// Why there is no answer at all.
#[derive(Debug)]
pub(super) enum NoAnswer {
    Http(reqwest::Error),
    /// An answer came that belongs to something else.
    OfAnother {
        correlation_id: String,
    },
}

impl Customer {
    pub(super) fn new(gateway: SocketAddr) -> Self {
        Self { http: reqwest::Client::new(), gateway }
    }

    /// Orders something for this user. An answer that refuses it is no error; none at all is.
    pub(super) async fn order(&self, user: u32) -> Result<Outcome, NoAnswer> {
        let correlation_id = format!("customer-{user}-{}", throughline::CorrelationId::generate());
        let item = ITEMS.iter().cycle().nth(user as usize).copied().unwrap_or("teapot");
        let answer = self
            .http
            .post(format!("http://{}/orders", self.gateway))
            .header("x-correlation-id", &correlation_id)
            .header("idempotency-key", &correlation_id)
            .json(&json!({ "user": user, "item": item }))
            .send()
            .await?;
        Outcome::read(answer, correlation_id).await
    }

    /// What the read model has of this user.
    pub(super) async fn recent_orders(&self, user: u32) -> Result<Value, NoAnswer> {
        let url = format!("http://{}/users/{user}/recent-orders", self.gateway);
        Ok(self.http.get(url).send().await?.error_for_status()?.json().await?)
    }
}

impl Outcome {
    async fn read(answer: Response, correlation_id: String) -> Result<Self, NoAnswer> {
        let status = answer.status();
        let header = |name: &str| {
            let value = answer.headers().get(name).and_then(|value| value.to_str().ok());
            value.map(str::to_owned)
        };
        let (returned, degraded) = (header("x-correlation-id"), header("x-degraded"));
        let retry_after = header("retry-after");
        if returned.is_some_and(|returned| returned != correlation_id) {
            return Err(NoAnswer::OfAnother { correlation_id });
        }
        let body: Value = serde_json::from_slice(&answer.bytes().await?).unwrap_or_default();
        let order = body.pointer("/order/id").and_then(Value::as_i64);
        let trace_id = body.get("trace_id").and_then(Value::as_str).map(str::to_owned);
        Ok(Self { status, order, trace_id, correlation_id, degraded, retry_after })
    }

    pub(super) const fn status(&self) -> StatusCode {
        self.status
    }

    /// The number of the stored order; none was stored when the order was refused.
    pub(super) const fn order(&self) -> Option<i64> {
        self.order
    }

    /// None where telemetry is off, or where the answer isn't the gateway's own.
    pub(super) fn trace_id(&self) -> Option<&str> {
        self.trace_id.as_deref()
    }

    pub(super) fn correlation_id(&self) -> &str {
        &self.correlation_id
    }

    /// Whether the shop said at once that it does not begin with the order, which may come again later.
    pub(super) fn is_shed(&self) -> bool {
        self.status == StatusCode::SERVICE_UNAVAILABLE && self.retry_after.is_some()
    }

    /// What the answer has in place of the real thing.
    pub(super) fn degraded(&self) -> Option<&str> {
        self.degraded.as_deref()
    }
}

impl From<reqwest::Error> for NoAnswer {
    fn from(error: reqwest::Error) -> Self {
        Self::Http(error)
    }
}

impl fmt::Display for NoAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Http(_) => f.write_str("the shop gave no answer"),
            Self::OfAnother { correlation_id } => {
                write!(f, "the answer came back without its correlation id {correlation_id}")
            }
        }
    }
}

impl Error for NoAnswer {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Http(error) => Some(error),
            Self::OfAnother { .. } => None,
        }
    }
}
