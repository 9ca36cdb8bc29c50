//! The structured logs of Google Cloud.

use throughline_core::semconv::{error, http};

use super::{
    options::{FieldPlace, Options},
    shape::{KeyStyle, Route, Shape, What},
};
use crate::{severity::Words, value_form::Form};

const SEVERITIES: Words = ["DEBUG", "DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"];

/// Fields that have a place of their own in a log entry.
const ROUTES: &[Route] = &[
    (http::HTTP_REQUEST_METHOD, REQUEST, "requestMethod"),
    (http::URL_FULL, REQUEST, "requestUrl"),
    (http::URL_PATH, REQUEST, "requestUrl"),
    (http::HTTP_RESPONSE_STATUS_CODE, REQUEST, "status"),
    (http::USER_AGENT_ORIGINAL, REQUEST, "userAgent"),
    (http::CLIENT_ADDRESS, REQUEST, "remoteIp"),
    (error::EXCEPTION_STACKTRACE, TOP, "stack_trace"),
];

const REQUEST: usize = 0;
const TOP: usize = 1;
const LABELS: usize = 2;

pub(super) fn shape(options: &Options) -> Shape {
    let usual = (Form::Json, KeyStyle::Usual);
    match options.fields {
        FieldPlace::Grouped => with_slots(options, &[usual, usual, (Form::Text, KeyStyle::Usual)]),
        // Without a slot of its own, everything goes where the stack trace goes.
        FieldPlace::Flat => with_slots(options, &[usual, usual]),
    }
}

fn with_slots(options: &Options, slots: &[(Form, KeyStyle)]) -> Shape {
    let service = options.service.trimmed();
    let trace = options.gcp_project.as_ref().map(|project| format!("projects/{project}/traces/"));
    Shape::new(&options.names, ROUTES, slots, |line| {
        line.string("severity", What::Severity(&SEVERITIES))
            .string("time", What::Time)
            .string("message", What::Message)
            .prefixed("logging.googleapis.com/trace", &trace.unwrap_or_default(), What::TraceId)
            .string("logging.googleapis.com/spanId", What::SpanId)
            .bare("logging.googleapis.com/trace_sampled", What::Sampled);
        if options.has_source() {
            line.object("logging.googleapis.com/sourceLocation", |source| {
                source.string("file", What::File).string("line", What::Line);
            });
        }
        line.object("serviceContext", |context| {
            context.text("service", &service.name).optional("version", service.version.as_ref());
        });
        line.object("httpRequest", |request| {
            request.fields(REQUEST);
        });
        line.object("logging.googleapis.com/labels", |labels| {
            labels
                .string("correlation_id", What::CorrelationId)
                .string("logger", What::Target)
                .optional("environment", service.environment.as_ref())
                .optional("instance", service.instance.as_ref())
                .optional("host", service.host.as_ref());
            if slots.len() > LABELS {
                labels.fields(LABELS);
            }
        });
        line.fields(TOP);
    })
}
