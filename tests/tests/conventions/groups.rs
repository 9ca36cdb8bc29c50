//! Which kind of span of the conventions a span of ours is, told by what it says of itself.

use throughline_testing::collector::{AttributeValue, Span, SpanKind};

/// Every kind that the crates make.
pub(crate) const IDS: [&str; 11] = [
    "db.sql.client",
    "http.client",
    "http.server",
    "messaging.create.producer",
    "messaging.process.consumer",
    "messaging.receive.client",
    "messaging.send.client",
    "messaging.send.producer",
    "messaging.settle.client",
    "rpc.grpc.call.client",
    "rpc.grpc.call.server",
];

/// The id of its kind; `None` for spans of applications, and for those that the conventions have no kind for.
pub(crate) fn of(span: &Span) -> Option<&'static str> {
    let text = |key| span.attribute(key).and_then(AttributeValue::as_str);
    let known = |id: &str| IDS.iter().copied().find(|one| *one == id);
    if let Some(system) = text("rpc.system.name") {
        return known(&format!("rpc.{system}.call.{}", kind(span)?));
    }
    // In memory they are INTERNAL, of the same kind all the same.
    if span.attribute("db.system.name").is_some() {
        return known("db.sql.client");
    }
    if let Some(operation) = text("messaging.operation.type") {
        return known(&format!("messaging.{operation}.{}", kind(span)?));
    }
    span.attribute("http.request.method").and_then(|_| known(&format!("http.{}", kind(span)?)))
}

/// What the conventions list for some systems only, and is as true for ours: the consumer group, which Kafka has.
pub(crate) const EXTRAS: [(&str, &str); 1] = [("messaging.", "messaging.consumer.group.name")];

/// What a span of this kind is called, as far as it can be told from its attributes.
pub(crate) fn name_of(id: &str, span: &Span) -> String {
    let text = |key| span.attribute(key).and_then(AttributeValue::as_str);
    if id.starts_with("rpc.") {
        let method = text("rpc.method").filter(|method| *method != "_OTHER");
        return method.or(text("rpc.system.name")).unwrap_or_default().to_owned();
    }
    if id.starts_with("db.") {
        return text("db.query.summary").unwrap_or_default().to_owned();
    }
    let (verb, object) = if id.starts_with("http.") {
        let method = text("http.request.method").unwrap_or_default();
        let method = if method == "_OTHER" { "HTTP" } else { method };
        (method, text("http.route").or(text("url.template")))
    } else {
        let destination = text("messaging.destination.template").or(text("messaging.destination.name"));
        (text("messaging.operation.name").unwrap_or_default(), destination)
    };
    object.map_or_else(|| verb.to_owned(), |object| format!("{verb} {object}"))
}

fn kind(span: &Span) -> Option<&'static str> {
    match span.kind {
        SpanKind::Server => Some("server"),
        SpanKind::Client => Some("client"),
        SpanKind::Producer => Some("producer"),
        SpanKind::Consumer => Some("consumer"),
        _ => None,
    }
}
