//! What a span tells of where it went and why, in a few words.

use throughline_receiver::{AttributeValue, Span, SpanKind};

use super::Look;

/// The words for one span, in the order in which the decisions are taken.
pub(super) fn of(span: &Span, look: Look) -> Vec<String> {
    let facts = Facts { span, look };
    let words = [
        facts.server(),
        facts.shed(),
        facts.database(),
        facts.messaging(),
        facts.balance(),
        facts.health(),
        facts.shard(),
        facts.resend(),
        facts.retries(),
        facts.time_limit(),
        facts.breaker(),
        facts.degraded(),
        facts.cache(),
        facts.inbox(),
    ];
    words.into_iter().flatten().chain(facts.own()).collect()
}

struct Facts<'a> {
    span: &'a Span,
    look: Look,
}

impl Facts<'_> {
    fn get(&self, key: &str) -> Option<String> {
        let value = self.span.attribute(key)?;
        Some(self.look.value(key, &value.to_string()))
    }

    fn is(&self, key: &str) -> bool {
        self.span.attribute(key).and_then(AttributeValue::as_bool).unwrap_or_default()
    }

    /// Where a call went: the name of the instance where one was chosen, or else the address.
    fn server(&self) -> Option<String> {
        if !self.is_call() {
            return None;
        }
        let chosen = self.get("throughline.balance.instance").or_else(|| self.get("throughline.shard.id"));
        if let Some(chosen) = chosen {
            return Some(format!("→ {chosen}"));
        }
        if self.look.is_steady() {
            return None;
        }
        Some(format!("→ {}:{}", self.get("server.address")?, self.get("server.port")?))
    }

    fn shed(&self) -> Option<String> {
        self.get("throughline.shed").map(|limit| format!("refused by the limit of {limit}"))
    }

    /// What was decided about a call stands on the caller's span, too, and is told there.
    fn is_call(&self) -> bool {
        self.span.kind == SpanKind::Client
    }

    fn database(&self) -> Option<String> {
        self.get("db.system.name")
    }

    fn messaging(&self) -> Option<String> {
        let system = self.get("messaging.system")?;
        let waited =
            self.span.attribute("throughline.messaging.queue_time_ms").and_then(AttributeValue::as_f64);
        let waited = waited.filter(|_| !self.look.is_steady()).map(|waited| format!(" waited {waited:.0}ms"));
        Some(system + &waited.unwrap_or_default())
    }

    fn balance(&self) -> Option<String> {
        if self.is_call() {
            return None;
        }
        Some(format!(
            "{} {}",
            self.get("throughline.balance.strategy")?,
            self.get("throughline.balance.instance")?
        ))
    }

    fn health(&self) -> Option<String> {
        if self.is_call() {
            return None;
        }
        let (healthy, total) =
            (self.get("throughline.balance.healthy")?, self.get("throughline.balance.total")?);
        Some(format!("{healthy} of {total} healthy"))
    }

    fn shard(&self) -> Option<String> {
        if self.is_call() {
            return None;
        }
        let (id, total) = (self.get("throughline.shard.id")?, self.get("throughline.shard.total")?);
        Some(format!("shard {id} of {total}"))
    }

    fn resend(&self) -> Option<String> {
        self.get("http.request.resend_count").map(|count| format!("resend {count}"))
    }

    fn retries(&self) -> Option<String> {
        let resends = self.get("throughline.retry.resends").filter(|resends| resends != "0");
        let end = self.get("throughline.retry.end");
        match (resends, end) {
            (None, None) => None,
            (Some(resends), None) => Some(format!("resends {resends}")),
            (resends, Some(end)) => Some(format!("resends {}, then {end}", resends.unwrap_or_default())),
        }
    }

    fn time_limit(&self) -> Option<String> {
        self.is("throughline.timeout.elapsed").then(|| "time limit passed".to_owned())
    }

    fn breaker(&self) -> Option<String> {
        if self.is_call() {
            return None;
        }
        let state = self.get("throughline.breaker.state")?;
        let rejected = if self.is("throughline.breaker.rejected") { ": rejected" } else { "" };
        Some(format!("breaker {state}{rejected}"))
    }

    fn degraded(&self) -> Option<String> {
        self.get("throughline.degraded").map(|what| format!("degraded {what}"))
    }

    fn cache(&self) -> Option<String> {
        self.get("throughline.cache.result").map(|result| format!("cache {result}"))
    }

    fn inbox(&self) -> Option<String> {
        self.get("throughline.inbox.result").map(|result| format!("inbox {result}"))
    }

    /// What the shop's own services say. That an attempt is the first goes without saying.
    fn own(&self) -> impl Iterator<Item = String> {
        let own = self.span.attributes.iter().filter_map(|(key, _)| key.strip_prefix("shop."));
        let said = own.filter_map(|key| Some(format!("{key} {}", self.get(&format!("shop.{key}"))?)));
        said.filter(|said| said != "attempt 1")
    }
}
