//! Putting a layer together.

use std::{fmt, io, sync::Arc};

use throughline_core::{Clock, Filters};

use crate::{
    Blocking, FIELD_BYTES_MAX, FIELDS_MAX, Format, JsonLayer, LINE_BYTES_MAX, LogCounters, Writer,
    format::{Console, Otel, Plain},
    layer::{AnyPreset, WithKeys},
    limits::Limits,
};

/// Settings of a [`JsonLayer`]; ends with [`build`](Self::build).
#[must_use = "nothing is set up until `build` is called"]
pub struct JsonLayerBuilder {
    service: String,
    format: Format,
    colour: bool,
    filters: Option<Filters>,
    clock: Clock,
    field_bytes_max: usize,
    line_bytes_max: usize,
    fields_max: usize,
    writer: Option<Arc<dyn Writer>>,
}

impl JsonLayerBuilder {
    pub(crate) fn new(service: String) -> Self {
        Self {
            service,
            format: Format::default(),
            colour: false,
            filters: None,
            clock: Clock::system(),
            field_bytes_max: FIELD_BYTES_MAX,
            line_bytes_max: LINE_BYTES_MAX,
            fields_max: FIELDS_MAX,
            writer: None,
        }
    }

    /// What a line looks like; [`Format::Plain`] unless set.
    pub fn format(mut self, format: Format) -> Self {
        self.format = format;
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

    /// Where lines go; a [`Blocking`] writer on the standard output unless set.
    pub fn writer(mut self, writer: impl Writer) -> Self {
        self.writer = Some(Arc::new(writer));
        self
    }

    /// The finished layer.
    #[must_use]
    pub fn build(self) -> JsonLayer {
        let preset = match self.format {
            Format::Plain => AnyPreset::Plain(WithKeys::new(Plain::new(&self.service))),
            Format::Otel => AnyPreset::Otel(WithKeys::new(Otel::new(&self.service))),
            Format::Console => AnyPreset::Console(WithKeys::new(Console::new(self.colour))),
        };
        let writer = self.writer.unwrap_or_else(|| Arc::new(Blocking::new(io::stdout())));
        let limits = Limits::new(self.field_bytes_max, self.line_bytes_max, self.fields_max);
        let counters = LogCounters::new(Arc::clone(&writer));
        JsonLayer::new(preset, limits, self.clock, self.filters, writer, counters)
    }
}

impl fmt::Debug for JsonLayerBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JsonLayerBuilder")
            .field("service", &self.service)
            .field("format", &self.format)
            .finish_non_exhaustive()
    }
}
