//! OTLP's file format: a `LogsData` object a line, which a Collector reads as it is.

use throughline_core::semconv::{SCHEMA_URL, code, own, resource};

use super::{
    options::Options,
    shape::{KeyStyle, Shape, What},
};
use crate::{key_names::KeyNames, severity, value_form::Form};

pub(super) fn shape(options: &Options) -> Shape {
    let service = options.service.trimmed();
    let slots = [(Form::KeyValue, KeyStyle::Usual)];
    // The keys of the protocol are what they are; names can be chosen for attributes only.
    Shape::new(&KeyNames::default(), &[], &slots, |line| {
        line.array_of_one("resourceLogs", |logs| {
            logs.object("resource", |sender| {
                sender.attributes("attributes", |about| {
                    about
                        .text(resource::SERVICE_NAME, &service.name)
                        .optional(resource::SERVICE_VERSION, service.version.as_ref())
                        .optional(resource::SERVICE_INSTANCE_ID, service.instance.as_ref())
                        .optional(resource::DEPLOYMENT_ENVIRONMENT_NAME, service.environment.as_ref())
                        .optional(resource::HOST_NAME, service.host.as_ref());
                });
            });
            logs.array_of_one("scopeLogs", |logs| {
                logs.object("scope", |scope| {
                    scope.string("name", What::Target);
                });
                logs.array_of_one("logRecords", |record| {
                    record
                        .string("timeUnixNano", What::UnixNanos)
                        .string("observedTimeUnixNano", What::UnixNanos)
                        .bare("severityNumber", What::SeverityNumber)
                        .string("severityText", What::Severity(&severity::OTEL))
                        .object("body", |body| {
                            body.string("stringValue", What::Message);
                        })
                        .attributes("attributes", |attributes| {
                            attributes.string(own::CORRELATION_ID, What::CorrelationId);
                            if options.has_source() {
                                attributes
                                    .string(code::CODE_FILE_PATH, What::File)
                                    .integer(code::CODE_LINE_NUMBER, What::Line);
                            }
                            attributes.fields(0);
                        })
                        .bare("droppedAttributesCount", What::DroppedFields)
                        .bare("flags", What::TraceFlagsNumber)
                        .string("traceId", What::TraceId)
                        .string("spanId", What::SpanId);
                });
                logs.text("schemaUrl", SCHEMA_URL);
            });
            logs.text("schemaUrl", SCHEMA_URL);
        });
    })
    .tally_in_part()
    .field_names(&options.names)
}
