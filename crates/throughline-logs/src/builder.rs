//! Putting a layer together.

use std::{fmt, io, sync::Arc};

use throughline_core::{BaggageFields, Clock, Filters, redact::Redactor};

use crate::{
    Blocking, DatadogIds, FIELD_BYTES_MAX, FIELDS_MAX, FieldPlace, Format, JsonLayer, KeyCase,
    LINE_BYTES_MAX, LogCounters, RateKey, RateLimit, SourceLocation, Writer,
    format::{Console, Options, Otel, Plain},
    layer::{AnyPreset, ToldBaggage, WithKeys},
    limits::Limits,
    service::Service,
    throttle::Throttle,
};

/// Settings of a [`JsonLayer`]; ends with [`build`](Self::build).
#[must_use = "nothing is set up until `build` is called"]
pub struct JsonLayerBuilder {
    options: Options,
    colour: bool,
    filters: Option<Filters>,
    clock: Clock,
    field_bytes_max: usize,
    line_bytes_max: usize,
    fields_max: usize,
    redactor: Redactor,
    rate_limit: Option<Box<dyn RateLimit>>,
    rate_key: RateKey,
    baggage: BaggageFields,
    writer: Option<Arc<dyn Writer>>,
}

impl JsonLayerBuilder {
    pub(crate) fn new(service: String) -> Self {
        Self {
            options: Options {
                service: Service { name: service, ..Service::default() },
                ..Options::default()
            },
            colour: false,
            filters: None,
            clock: Clock::system(),
            field_bytes_max: FIELD_BYTES_MAX,
            line_bytes_max: LINE_BYTES_MAX,
            fields_max: FIELDS_MAX,
            redactor: Redactor::default(),
            rate_limit: None,
            rate_key: RateKey::default(),
            baggage: BaggageFields::default(),
            writer: None,
        }
    }

    /// What a line looks like; [`Format::Plain`] unless set.
    pub fn format(mut self, format: Format) -> Self {
        self.options.format = format;
        self
    }

    /// The version of the service, for the formats that have a key for it.
    pub fn service_version(mut self, version: impl Into<String>) -> Self {
        self.options.service.version = Some(version.into());
        self
    }

    /// Where the service runs, `production` or `staging`, for the formats that have a key for it.
    pub fn service_environment(mut self, environment: impl Into<String>) -> Self {
        self.options.service.environment = Some(environment.into());
        self
    }

    /// Which instance of the service this is, for the formats that have a key for it.
    pub fn service_instance(mut self, instance: impl Into<String>) -> Self {
        self.options.service.instance = Some(instance.into());
        self
    }

    /// The host, for the formats that have a key for it.
    pub fn host(mut self, host: impl Into<String>) -> Self {
        self.options.service.host = Some(host.into());
        self
    }

    /// Writes the key `from` as `to`: a fixed key by the format's name for it, or a field.
    ///
    /// The new name is taken to the letter, whatever the [case](Self::key_case). Where an earlier fixed key has it already,
    /// the key keeps its own, or has underscores behind it where that is taken, too; a field whose name has become that of a fixed key is `fields.<name>`. The keys of OTLP are
    /// what they are: in [`Format::OtlpJson`] only attributes can be renamed. Of no effect on [`Format::Console`].
    pub fn rename(mut self, from: impl Into<String>, to: impl Into<String>) -> Self {
        self.options.names.rename(from.into(), to.into());
        self
    }

    /// The case of keys, fixed ones and those of fields; as they are unless set. Of no effect on [`Format::Console`].
    pub fn key_case(mut self, case: KeyCase) -> Self {
        self.options.names.case = case;
        self
    }

    /// Where fields stand in [`Format::Otel`] and [`Format::Gcp`]; in an object of their own unless set.
    pub fn field_place(mut self, place: FieldPlace) -> Self {
        self.options.fields = place;
        self
    }

    /// Whether lines say where in the source they were written; they do not unless asked.
    pub fn source_location(mut self, location: SourceLocation) -> Self {
        self.options.source = location;
        self
    }

    /// The project that traces belong to, for [`Format::Gcp`]; without it the trace is its bare id.
    pub fn gcp_project(mut self, id: impl Into<String>) -> Self {
        self.options.gcp_project = Some(id.into());
        self
    }

    /// How [`Format::Datadog`] writes `dd.trace_id`; in hexadecimal digits unless set.
    pub fn datadog_ids(mut self, ids: DatadogIds) -> Self {
        self.options.datadog_ids = ids;
        self
    }

    /// Whether [`Format::Console`] uses colours; it does not unless asked. Of no effect on the other formats.
    pub fn colour(mut self, colour: bool) -> Self {
        self.colour = colour;
        self
    }

    /// Which events become lines, asked for each event. Without it, all that reach the layer do.
    ///
    /// Spans are not asked for: whichever exist give their fields to the lines inside them.
    pub fn filters(mut self, filters: Filters) -> Self {
        self.filters = Some(filters);
        self
    }

    /// Where the time comes from; the system's clock unless set.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// The most bytes of one value, before escaping; [`FIELD_BYTES_MAX`] unless set.
    ///
    /// Never more than a sixteenth of the line's limit, so that the fixed keys always have room.
    pub fn field_bytes_max(mut self, bytes: usize) -> Self {
        self.field_bytes_max = bytes;
        self
    }

    /// The most bytes of one line; [`LINE_BYTES_MAX`] unless set, and at least [`LINE_BYTES_MIN`](crate::LINE_BYTES_MIN).
    pub fn line_bytes_max(mut self, bytes: usize) -> Self {
        self.line_bytes_max = bytes;
        self
    }

    /// The most fields of one line, and of one span; [`FIELDS_MAX`] unless set.
    pub fn fields_max(mut self, fields: usize) -> Self {
        self.fields_max = fields;
        self
    }

    /// What is kept off the lines: rules, or a [`Redactor`] that others have, too; the default rules unless set.
    ///
    /// Messages, fields and those of spans go through it before they are serialised. Layers of one subscriber share what
    /// is kept of a span: they should have the same.
    pub fn redaction(mut self, redaction: impl Into<Redactor>) -> Self {
        self.redactor = redaction.into();
        self
    }

    /// How often lines that are alike may be written; there is no limit unless set. `()` removes one.
    ///
    /// A line that passes says with `log.suppressed` how many like it were left out before, and
    /// [`LogStats::suppressed`](crate::LogStats::suppressed) counts all.
    pub fn rate_limit(mut self, limit: impl RateLimit) -> Self {
        self.rate_limit = Some(Box::new(limit));
        self
    }

    /// Which lines are alike for the rate limit; those of one place in the source unless set.
    pub fn rate_key(mut self, key: RateKey) -> Self {
        self.rate_key = key;
        self
    }

    /// Which members of the baggage become fields; none unless set. A field of the event or of a span with the same name
    /// beats them.
    pub fn baggage(mut self, fields: BaggageFields) -> Self {
        self.baggage = fields;
        self
    }

    /// Where lines go; a [`Blocking`] writer on the standard output unless set.
    pub fn writer(mut self, writer: impl Writer) -> Self {
        self.writer = Some(Arc::new(writer));
        self
    }

    /// The finished layer.
    #[must_use]
    pub fn build(self) -> JsonLayer {
        let service = &self.options.service.name;
        let is_usual = self.options.are_usual();
        let preset = match (self.options.format, self.options.shape()) {
            (Format::Plain, _) if is_usual => AnyPreset::Plain(WithKeys::new(Plain::new(service))),
            (Format::Otel, _) if is_usual => AnyPreset::Otel(WithKeys::new(Otel::new(service))),
            (_, Some(shape)) => AnyPreset::Shaped(shape),
            (_, None) => AnyPreset::Console(WithKeys::new(Console::new(self.colour))),
        };
        let writer = self.writer.unwrap_or_else(|| Arc::new(Blocking::new(io::stdout())));
        let limits = Limits::new(self.field_bytes_max, self.line_bytes_max, self.fields_max);
        let counters = LogCounters::new(Arc::clone(&writer));
        JsonLayer {
            preset,
            limits,
            clock: self.clock,
            filters: self.filters,
            throttle: self.rate_limit.map(|policy| Throttle::new(policy, self.rate_key)),
            baggage: ToldBaggage::new(&self.baggage),
            writer,
            counters,
            redactor: self.redactor,
        }
    }
}

impl fmt::Debug for JsonLayerBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JsonLayerBuilder")
            .field("service", &self.options.service.name)
            .field("format", &self.options.format)
            .finish_non_exhaustive()
    }
}
