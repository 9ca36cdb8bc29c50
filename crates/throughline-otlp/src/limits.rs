//! How much one span, and one log record, may hold.

use crate::encode::attributes::Caps;

/// The limits of a span; what goes beyond them is counted on the span itself.
#[derive(Clone, Copy, Debug)]
pub struct SpanLimits {
    pub(crate) attributes: usize,
    pub(crate) events: usize,
    pub(crate) links: usize,
    pub(crate) event_attributes: usize,
    pub(crate) link_attributes: usize,
    pub(crate) value_chars: Option<usize>,
}

impl Default for SpanLimits {
    /// 128 of each, texts of any length: the specification's defaults.
    fn default() -> Self {
        Self {
            attributes: 128,
            events: 128,
            links: 128,
            event_attributes: 128,
            link_attributes: 128,
            value_chars: None,
        }
    }
}

impl SpanLimits {
    /// Attributes a span.
    #[must_use]
    pub const fn attributes(mut self, max: usize) -> Self {
        self.attributes = max;
        self
    }

    /// Events a span.
    #[must_use]
    pub const fn events(mut self, max: usize) -> Self {
        self.events = max;
        self
    }

    /// Links a span.
    #[must_use]
    pub const fn links(mut self, max: usize) -> Self {
        self.links = max;
        self
    }

    /// Attributes an event.
    #[must_use]
    pub const fn event_attributes(mut self, max: usize) -> Self {
        self.event_attributes = max;
        self
    }

    /// Attributes a link.
    #[must_use]
    pub const fn link_attributes(mut self, max: usize) -> Self {
        self.link_attributes = max;
        self
    }

    /// Characters of a text, bytes of a byte string; longer ones are cut.
    #[must_use]
    pub const fn value_chars(mut self, max: Option<usize>) -> Self {
        self.value_chars = max;
        self
    }

    pub(crate) const fn span_caps(&self) -> Caps {
        Caps { count: self.attributes, chars: self.value_chars }
    }

    pub(crate) const fn event_caps(&self) -> Caps {
        Caps { count: self.event_attributes, chars: self.value_chars }
    }

    pub(crate) const fn link_caps(&self) -> Caps {
        Caps { count: self.link_attributes, chars: self.value_chars }
    }
}

/// The limits of a log record; what goes beyond them is counted on the record itself.
#[derive(Clone, Copy, Debug)]
pub struct LogLimits {
    pub(crate) attributes: usize,
    pub(crate) value_chars: Option<usize>,
}

impl Default for LogLimits {
    /// 128 attributes, texts of any length: the specification's defaults.
    fn default() -> Self {
        Self { attributes: 128, value_chars: None }
    }
}

impl LogLimits {
    /// Attributes a record, those of its spans included.
    #[must_use]
    pub const fn attributes(mut self, max: usize) -> Self {
        self.attributes = max;
        self
    }

    /// Characters of a text, bytes of a byte string; longer ones are cut. The body is never cut.
    #[must_use]
    pub const fn value_chars(mut self, max: Option<usize>) -> Self {
        self.value_chars = max;
        self
    }

    pub(crate) const fn caps(&self) -> Caps {
        Caps { count: self.attributes, chars: self.value_chars }
    }
}
