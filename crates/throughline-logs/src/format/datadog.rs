//! The standard attributes of Datadog's log pipelines.

use throughline_core::semconv::{code, error, http};

use super::{
    options::{DatadogIds, Options},
    shape::{KeyStyle, Route, Shape, What},
};
use crate::{service::Service, severity, value_form::Form};

/// Fields of OpenTelemetry's conventions under Datadog's names.
const ROUTES: &[Route] = &[
    (error::EXCEPTION_TYPE, 0, "error.kind"),
    (error::ERROR_TYPE, 0, "error.kind"),
    (error::EXCEPTION_MESSAGE, 0, "error.message"),
    ("error", 0, "error.message"),
    (error::EXCEPTION_STACKTRACE, 0, "error.stack"),
    (http::HTTP_REQUEST_METHOD, 0, "http.method"),
    (http::HTTP_RESPONSE_STATUS_CODE, 0, "http.status_code"),
    (http::URL_FULL, 0, "http.url"),
    (http::USER_AGENT_ORIGINAL, 0, "http.useragent"),
    (code::CODE_FUNCTION_NAME, 0, "logger.method_name"),
];

pub(super) fn shape(options: &Options) -> Shape {
    let service = options.service.trimmed();
    let trace_id = match options.datadog_ids {
        DatadogIds::Hex => What::TraceId,
        DatadogIds::Decimal => What::TraceIdLow,
    };
    Shape::new(&options.names, ROUTES, &[(Form::Json, KeyStyle::Usual)], |line| {
        line.string("timestamp", What::Time)
            .string("status", What::Severity(&severity::LEVELS))
            .string("message", What::Message)
            .text("service", &service.name)
            .text("ddsource", "rust")
            .optional("ddtags", tags(&service).as_ref())
            .optional("host", service.host.as_ref())
            .string("correlation_id", What::CorrelationId)
            .string("trace_id", What::TraceId)
            .string("span_id", What::SpanId)
            .text("dd.service", &service.name)
            .optional("dd.env", service.environment.as_ref())
            .optional("dd.version", service.version.as_ref())
            .string("dd.trace_id", trace_id)
            .string("dd.span_id", What::SpanIdDecimal)
            .string("logger.name", What::Target);
        if options.has_source() {
            line.string("logger.file_name", What::File).bare("logger.line", What::Line);
        }
        line.fields(0);
    })
}

/// `env:…,version:…`, as far as they are known.
fn tags(service: &Service) -> Option<String> {
    let known = [("env", &service.environment), ("version", &service.version)];
    let known =
        known.iter().filter_map(|(name, value)| value.as_ref().map(|value| format!("{name}:{value}")));
    let tags = known.collect::<Vec<_>>().join(",");
    (!tags.is_empty()).then_some(tags)
}
