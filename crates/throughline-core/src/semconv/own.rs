//! Names of our own: `correlation.id`, what stands under `throughline.`, and what `tracing` calls its own.
//!
//! `semconv/own.json` is the registry of these names: a new one goes into both.

super::names! {
    /// `correlation.id`: the id that survives where a trace does not.
    CORRELATION_ID = "correlation.id",
    /// `level`: how severe an event on a span is.
    EVENT_LEVEL = "level",
    /// `target`: the part of the program that an event on a span comes from.
    EVENT_TARGET = "target",
    /// `throughline.db.affected_rows`: how many rows a statement has changed.
    DB_AFFECTED_ROWS = "throughline.db.affected_rows",
    /// `throughline.db.end`: how a statement ended.
    DB_END = "throughline.db.end",
    /// `throughline.db.wait_time_ms`: how long a statement waited for a connection, in milliseconds.
    DB_WAIT_TIME_MS = "throughline.db.wait_time_ms",
    /// `throughline.http.end`: how a server's span ended: complete, client gone, error or panic.
    HTTP_END = "throughline.http.end",
    /// `throughline.http.messages`: how many messages a session has had: chunks of an event stream, or what
    /// its handler counted.
    HTTP_MESSAGES = "throughline.http.messages",
    /// `throughline.http.time_to_first_byte_ms`: milliseconds from the request to the head of its response.
    HTTP_TIME_TO_FIRST_BYTE_MS = "throughline.http.time_to_first_byte_ms",
    /// `throughline.messaging.end`: how the handling of a message ended.
    MESSAGING_END = "throughline.messaging.end",
    /// `throughline.messaging.left_out`: fields of the context that would have made the message too long.
    MESSAGING_LEFT_OUT = "throughline.messaging.left_out",
    /// `throughline.messaging.queue_time_ms`: how long a message waited, in milliseconds.
    MESSAGING_QUEUE_TIME_MS = "throughline.messaging.queue_time_ms",
    /// `throughline.messaging.redelivered`: that a message was delivered before.
    MESSAGING_REDELIVERED = "throughline.messaging.redelivered",
    /// `throughline.rpc.end`: how a call ended: complete, client gone, cancelled, error or panic.
    RPC_END = "throughline.rpc.end",
    /// `throughline.balance.strategy`: how an instance was chosen.
    BALANCE_STRATEGY = "throughline.balance.strategy",
    /// `throughline.balance.instance`: the instance that was chosen.
    BALANCE_INSTANCE = "throughline.balance.instance",
    /// `throughline.balance.healthy`: how many instances could have been chosen.
    BALANCE_HEALTHY = "throughline.balance.healthy",
    /// `throughline.balance.total`: how many instances there are.
    BALANCE_TOTAL = "throughline.balance.total",
    /// `throughline.shard.id`: the shard that owns the key.
    SHARD_ID = "throughline.shard.id",
    /// `throughline.shard.total`: how many shards there are.
    SHARD_TOTAL = "throughline.shard.total",
    /// `throughline.shard.key`: the key, unless it is sensitive.
    SHARD_KEY = "throughline.shard.key",
    /// `throughline.shard.key_hash`: sixteen hex digits that stand for the key.
    SHARD_KEY_HASH = "throughline.shard.key_hash",
    /// `throughline.breaker.name`: which circuit breaker.
    BREAKER_NAME = "throughline.breaker.name",
    /// `throughline.breaker.state`: its state when the call came: closed, open or half_open.
    BREAKER_STATE = "throughline.breaker.state",
    /// `throughline.breaker.rejected`: that the breaker let the call not through.
    BREAKER_REJECTED = "throughline.breaker.rejected",
    /// `throughline.retry.resends`: how often the request was sent again.
    RETRY_RESENDS = "throughline.retry.resends",
    /// `throughline.retry.end`: why it was not sent once more.
    RETRY_END = "throughline.retry.end",
    /// `throughline.timeout.ms`: how long the call had, in milliseconds.
    TIMEOUT_MS = "throughline.timeout.ms",
    /// `throughline.timeout.elapsed`: that the time was up before the answer came.
    TIMEOUT_ELAPSED = "throughline.timeout.elapsed",
    /// `throughline.shed`: the limit that a request was refused by, because too many were worked on.
    SHED = "throughline.shed",
    /// `throughline.degraded`: what was answered by a fallback.
    DEGRADED = "throughline.degraded",
    /// `throughline.degraded.reason`: why.
    DEGRADED_REASON = "throughline.degraded.reason",
    /// `throughline.cache.name`: which cache.
    CACHE_NAME = "throughline.cache.name",
    /// `throughline.cache.result`: hit, miss or stale.
    CACHE_RESULT = "throughline.cache.result",
    /// `throughline.resilience.pattern`: which pattern decided.
    RESILIENCE_PATTERN = "throughline.resilience.pattern",
    /// `throughline.resilience.name`: which breaker, balancer, cache …
    RESILIENCE_NAME = "throughline.resilience.name",
    /// `throughline.resilience.decision`: what was decided.
    RESILIENCE_DECISION = "throughline.resilience.decision",
    /// `throughline.outbox.attempt`: which attempt to relay an event it is, from 1.
    OUTBOX_ATTEMPT = "throughline.outbox.attempt",
    /// `throughline.outbox.replay`: how often the event was replayed.
    OUTBOX_REPLAY = "throughline.outbox.replay",
    /// `throughline.outbox.result`: what became of an attempt: relayed, failed or dead.
    OUTBOX_RESULT = "throughline.outbox.result",
    /// `throughline.inbox.result`: whether a consumer has had the message before: first or duplicate.
    INBOX_RESULT = "throughline.inbox.result",
}
