//! When an attribute is due that the conventions require on a condition.

use throughline_testing::collector::{AttributeValue, Span, SpanKind};

/// Whether it must be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Due {
    Yes,
    No,
    /// The span doesn't tell.
    Unknown,
}

/// Whether `attribute`, conditionally required of spans like this one, must be there.
///
/// `None` where this list doesn't know the condition: it has to learn it.
pub(crate) fn due(attribute: &str, span: &Span) -> Option<Due> {
    let has = |key| span.attribute(key).is_some();
    let is = |key: &str, wanted: &str| span.attribute(key).is_some_and(|value| *value == *wanted);
    let end = |wanted: &str| {
        ["throughline.http.end", "throughline.messaging.end", "throughline.rpc.end"]
            .iter()
            .any(|key| is(key, wanted))
    };
    Some(match attribute {
        // The operation failed; one that its own caller gave up did not.
        "error.type" => exactly(span.status.is_error()),
        "http.request.method_original" => exactly(is("http.request.method", "_OTHER")),
        "http.response.status_code" if end("complete") => Due::Yes,
        // A failed or cancelled exchange may have got as far as that, or not.
        "http.response.status_code" => Due::Unknown,
        // The router may have none; where there is one, the span's name tells.
        "http.route" | "rpc.method" => Due::Unknown,
        // None of the protocols here has another name than its default.
        "network.protocol.name" => Due::No,
        // Each statement here is on a file, whose name is known, or in memory, which has none.
        "db.namespace" => exactly(span.kind == SpanKind::Client),
        // Where the database has failed; what the client gave up has none.
        "db.response.status_code" => {
            let of_client =
                |value: &AttributeValue| value.as_str().is_some_and(|text| text.starts_with("sqlx::"));
            exactly(span.status.is_error() && !span.attribute("error.type").is_some_and(of_client))
        }
        "rpc.method_original" => exactly(is("rpc.method", "_OTHER")),
        "server.address" => Due::Unknown,
        // A server's port goes with its address; the other way round it says nothing.
        "server.port" if has("server.address") => Due::Unknown,
        "server.port" => Due::No,
        "url.query" => Due::Unknown,
        "messaging.operation.type" => Due::Yes,
        "messaging.batch.message_count" if is("messaging.operation.type", "receive") => Due::Yes,
        // A batch that is processed may be one of several destinations, and what isn't a batch has no count.
        "messaging.destination.name" if !is("messaging.operation.type", "process") => Due::Yes,
        "messaging.batch.message_count" | "messaging.destination.name" => Due::Unknown,
        // Where there is one, the span's name tells.
        "messaging.destination.template" => Due::Unknown,
        _ => return None,
    })
}

const fn exactly(due: bool) -> Due {
    if due { Due::Yes } else { Due::No }
}
