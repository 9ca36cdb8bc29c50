//! What Jaeger knows, asked through its query endpoints.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use serde_json::Value;
use tests::{http_get, wait_until};

/// How long a span may take from its end until Jaeger has it.
const ARRIVAL_TIMEOUT: Duration = Duration::from_secs(30);

/// A span as both representations of Jaeger have it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Span {
    pub(crate) service: String,
    pub(crate) name: String,
    pub(crate) kind: String,
    pub(crate) id: String,
    pub(crate) parent: Option<String>,
    /// Trace id and span id of each link.
    pub(crate) links: BTreeSet<(String, String)>,
    /// The attribute `correlation.id`.
    pub(crate) correlation_id: Option<String>,
}

/// A hop between two services: who called, the kind of the calling span, who was called, the kind of the called span.
pub(crate) type Edge<'a> = (&'a str, &'a str, &'a str, &'a str);

/// Waits until the trace is there and `complete`, then gives its spans.
///
/// They are asked for twice, as OTLP and in Jaeger's own format, and must be the same.
pub(crate) fn trace(
    query_port: u16,
    trace_id: &str,
    complete: impl Fn(&BTreeSet<Span>) -> bool,
) -> BTreeSet<Span> {
    let spans = wait_until(&format!("trace {trace_id} in Jaeger"), ARRIVAL_TIMEOUT, || {
        let spans = otlp_spans(&get(query_port, &format!("/api/v3/traces/{trace_id}"))?);
        if complete(&spans) { Ok(spans) } else { Err(format!("only {spans:#?}")) }
    });
    let own = get(query_port, &format!("/api/traces/{trace_id}")).expect("the trace in Jaeger's own format");
    assert_eq!(own_spans(&own), spans, "the two representations of trace {trace_id}");
    spans
}

/// The services of which Jaeger has spans.
pub(crate) fn services(query_port: u16) -> BTreeSet<String> {
    let answer = get(query_port, "/api/v3/services").expect("the services");
    items(&answer, "/services").map(|name| name.as_str().unwrap_or_default().to_owned()).collect()
}

/// The traces in which a service has spans.
pub(crate) fn traces_of(query_port: u16, service: &str) -> BTreeSet<String> {
    let path = format!(
        "/api/v3/traces?query.service_name={service}&query.num_traces=1000\
         &query.start_time_min=2000-01-01T00:00:00Z&query.start_time_max=2100-01-01T00:00:00Z"
    );
    let answer = get(query_port, &path).expect("a search");
    otlp(&answer).map(|(_, span)| text(span, "/traceId")).collect()
}

/// The hops between different services that follow from parents.
pub(crate) fn edges(spans: &BTreeSet<Span>) -> BTreeSet<Edge<'_>> {
    let by_id: BTreeMap<&str, &Span> = spans.iter().map(|span| (span.id.as_str(), span)).collect();
    spans
        .iter()
        .filter_map(|span| Some((*by_id.get(span.parent.as_deref()?)?, span)))
        .filter(|(caller, callee)| caller.service != callee.service)
        .map(|(caller, callee)| (&*caller.service, &*caller.kind, &*callee.service, &*callee.kind))
        .collect()
}

fn get(port: u16, path: &str) -> Result<Value, String> {
    let answer = http_get(port, path).map_err(|error| error.to_string())?;
    if answer.status != 200 {
        return Err(format!("{path}: {answer:?}"));
    }
    serde_json::from_str(&answer.body).map_err(|error| format!("{path}: {error}: {}", answer.body))
}

// --- OTLP ------------------------------------------------------------------------------------------------------------

/// Every span with its resource.
fn otlp(answer: &Value) -> impl Iterator<Item = (&Value, &Value)> {
    items(answer, "/result/resourceSpans").flat_map(|group| {
        items(group, "/scopeSpans")
            .flat_map(move |scope| items(scope, "/spans").map(move |span| (group, span)))
    })
}

fn otlp_spans(answer: &Value) -> BTreeSet<Span> {
    otlp(answer)
        .map(|(group, span)| Span {
            service: attribute(group, "/resource/attributes", "service.name").unwrap_or_default(),
            name: text(span, "/name"),
            kind: kind(span.pointer("/kind").and_then(Value::as_u64)).to_owned(),
            id: text(span, "/spanId"),
            parent: Some(text(span, "/parentSpanId")).filter(|id| !id.is_empty()),
            links: items(span, "/links")
                .map(|link| (text(link, "/traceId"), text(link, "/spanId")))
                .collect(),
            correlation_id: attribute(span, "/attributes", "correlation.id"),
        })
        .collect()
}

const fn kind(number: Option<u64>) -> &'static str {
    match number {
        Some(1) => "internal",
        Some(2) => "server",
        Some(3) => "client",
        Some(4) => "producer",
        Some(5) => "consumer",
        _ => "unspecified",
    }
}

fn attribute(value: &Value, attributes: &str, key: &str) -> Option<String> {
    items(value, attributes)
        .find(|attribute| text(attribute, "/key") == key)
        .map(|attribute| text(attribute, "/value/stringValue"))
}

// --- Jaeger's own format ---------------------------------------------------------------------------------------------

fn own_spans(answer: &Value) -> BTreeSet<Span> {
    items(answer, "/data")
        .flat_map(|trace| items(trace, "/spans").map(move |span| own_span(trace, span)))
        .collect()
}

fn own_span(trace: &Value, span: &Value) -> Span {
    let references = |kind: &str| {
        let of_kind: BTreeSet<_> = items(span, "/references")
            .filter(|reference| text(reference, "/refType") == kind)
            .map(|reference| (text(reference, "/traceID"), text(reference, "/spanID")))
            .collect();
        of_kind
    };
    Span {
        service: text(trace, &format!("/processes/{}/serviceName", text(span, "/processID"))),
        name: text(span, "/operationName"),
        kind: tag(span, "span.kind").unwrap_or_else(|| kind(None).to_owned()),
        id: text(span, "/spanID"),
        parent: references("CHILD_OF").into_iter().map(|(_, id)| id).next(),
        links: references("FOLLOWS_FROM"),
        correlation_id: tag(span, "correlation.id"),
    }
}

fn tag(span: &Value, key: &str) -> Option<String> {
    items(span, "/tags").find(|tag| text(tag, "/key") == key).map(|tag| text(tag, "/value"))
}

// --- JSON ------------------------------------------------------------------------------------------------------------

fn items<'a>(value: &'a Value, pointer: &str) -> impl Iterator<Item = &'a Value> + use<'a> {
    value.pointer(pointer).and_then(Value::as_array).into_iter().flatten()
}

fn text(value: &Value, pointer: &str) -> String {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
}
