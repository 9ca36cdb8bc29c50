//! A customer: somebody outside, who sends an order and a correlation id of their own.

use std::{error::Error, net::SocketAddr};

use serde_json::{Value, json};

const ITEMS: [&str; 4] = ["teapot", "umbrella", "lantern", "compass"];

/// Somebody who knows the address of the gateway, and nothing else of the shop.
#[derive(Clone, Debug)]
pub(super) struct Customer {
    http: reqwest::Client,
    gateway: SocketAddr,
}

/// What the shop answered.
#[derive(Clone, Debug)]
pub(super) struct Outcome {
    status: u16,
    order: Option<i64>,
    trace_id: String,
    correlation_id: String,
}

impl Customer {
    pub(super) fn new(gateway: SocketAddr) -> Self {
        Self { http: reqwest::Client::new(), gateway }
    }

    /// Sends order `number`, of the user with that number.
    pub(super) async fn order(&self, number: u32) -> Result<Outcome, Box<dyn Error>> {
        let correlation_id = format!("customer-{number}-{}", throughline::CorrelationId::generate());
        let item = ITEMS.iter().cycle().nth(number as usize).copied().unwrap_or("teapot");
        let answer = self
            .http
            .post(format!("http://{}/orders", self.gateway))
            .header("x-correlation-id", &correlation_id)
            .json(&json!({ "user": number, "item": item }))
            .send()
            .await?;
        let status = answer.status().as_u16();
        let returned = answer.headers().get("x-correlation-id").map(|value| value.as_bytes().to_vec());
        if returned.as_deref() != Some(correlation_id.as_bytes()) {
            return Err(
                format!("order {number} came back without its correlation id {correlation_id}").into()
            );
        }
        let answer: Value = answer.json().await?;
        let trace_id = answer.get("trace_id").and_then(Value::as_str).ok_or("the gateway named no trace")?;
        let order = answer.pointer("/order/id").and_then(Value::as_i64);
        Ok(Outcome { status, order, trace_id: trace_id.to_owned(), correlation_id })
    }
}

impl Outcome {
    pub(super) const fn status(&self) -> u16 {
        self.status
    }

    /// The number of the stored order; none was stored when the order was refused.
    pub(super) const fn order(&self) -> Option<i64> {
        self.order
    }

    pub(super) fn trace_id(&self) -> &str {
        &self.trace_id
    }

    pub(super) fn correlation_id(&self) -> &str {
        &self.correlation_id
    }
}
