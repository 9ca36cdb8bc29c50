//! The Elastic Common Schema, as ECS logging writes it.
//!
//! Order and names are those of `spec.json` of elastic/ecs-logging: `@timestamp`, `log.level` and `message` come first, in
//! this order, and `log.level` and `ecs.version` are flat keys. Whatever has no field in the schema is a label, and labels
//! are strings.

use throughline_core::semconv::{code, error, http};

use super::{
    options::Options,
    shape::{KeyStyle, Route, Shape, What},
};
use crate::{severity, value_form::Form};

/// The version of the schema whose fields are written.
const ECS_VERSION: &str = "8.11.0";

/// Fields of OpenTelemetry's conventions that the schema has, too.
const ROUTES: &[Route] = &[
    (error::EXCEPTION_TYPE, TEXTS, "error.type"),
    (error::ERROR_TYPE, TEXTS, "error.type"),
    (error::EXCEPTION_MESSAGE, TEXTS, "error.message"),
    ("error", TEXTS, "error.message"),
    (error::EXCEPTION_STACKTRACE, TEXTS, "error.stack_trace"),
    (http::HTTP_REQUEST_METHOD, TEXTS, http::HTTP_REQUEST_METHOD),
    (http::HTTP_RESPONSE_STATUS_CODE, TOP, http::HTTP_RESPONSE_STATUS_CODE),
    (http::URL_FULL, TEXTS, http::URL_FULL),
    (http::URL_PATH, TEXTS, http::URL_PATH),
    (http::URL_QUERY, TEXTS, http::URL_QUERY),
    (http::URL_SCHEME, TEXTS, http::URL_SCHEME),
    (http::CLIENT_ADDRESS, TEXTS, http::CLIENT_ADDRESS),
    (http::SERVER_ADDRESS, TEXTS, http::SERVER_ADDRESS),
    (http::SERVER_PORT, TOP, http::SERVER_PORT),
    (http::USER_AGENT_ORIGINAL, TEXTS, http::USER_AGENT_ORIGINAL),
    (code::CODE_FUNCTION_NAME, TEXTS, "log.origin.function"),
];

const TOP: usize = 0;
/// On the line itself, too, and strings whatever they were given as.
const TEXTS: usize = 1;
const LABELS: usize = 2;

pub(super) fn shape(options: &Options) -> Shape {
    let slots = [(Form::Json, KeyStyle::Usual), (Form::Text, KeyStyle::Usual), (Form::Text, KeyStyle::Label)];
    let service = options.service.trimmed();
    Shape::new(&options.names, ROUTES, &slots, |line| {
        line.string("@timestamp", What::Time)
            .string("log.level", What::Severity(&severity::LEVELS))
            .string("message", What::Message)
            .text("ecs.version", ECS_VERSION)
            .text("service.name", &service.name)
            .optional("service.version", service.version.as_ref())
            .optional("service.environment", service.environment.as_ref())
            .optional("service.node.name", service.instance.as_ref())
            .text("event.dataset", &service.name)
            .string("trace.id", What::TraceId)
            .string("transaction.id", What::EntrySpanId)
            .string("span.id", What::SpanId)
            .string("log.logger", What::Target);
        if options.has_source() {
            line.string("log.origin.file.name", What::File).bare("log.origin.file.line", What::Line);
        }
        line.fields(TOP).fields(TEXTS).object("labels", |labels| {
            labels.string("correlation_id", What::CorrelationId).fields(LABELS);
        });
    })
}
