//! Parent or link: how the handling of a message hangs together with its sending.

use throughline_core::{Context, SpanContext};

/// How the span that handles one message relates to the one that sent it.
///
/// | | no other span is current | another span is current |
/// |---|---|---|
/// | [`Auto`](Self::Auto) | child of the sender, no link | child of the current span, link to the sender |
/// | [`Child`](Self::Child) | child of the sender, no link | child of the sender, links to the sender and to the current span |
/// | [`Link`](Self::Link) | new trace, link to the sender | child of the current span, link to the sender |
///
/// A batch has many senders, so its span always links to them and is nobody's child but the current span's. A message
/// without a context gives a child of the current span, or a new trace.
///
/// The same holds for a message whose trace was restarted by its [`Edge`](crate::Edge), but that its span is never a child
/// of the sender's: it links to it, in a new trace or in the current span's.
///
/// Whatever the relation, what is inside the handling goes on with the message's correlation id and baggage.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Relation {
    /// One trace from sender to handler where nothing speaks against it; a link inside another span.
    #[default]
    Auto,
    /// Always a child of the sender.
    Child,
    /// Always a link: a trace ends at the broker, and the next one begins behind it.
    Link,
}

impl Relation {
    /// Where the span of one message goes that was created in `creation`, while `ambient` is current.
    pub(crate) fn place(self, creation: &Creation, ambient: &Context) -> Place {
        let child = match self {
            Self::Child => true,
            Self::Auto => ambient.span().is_none(),
            Self::Link => false,
        };
        match (creation.context.span(), ambient.span()) {
            (Some(_), None) if child => Place { context: creation.context.clone(), links: Vec::new() },
            (Some(sender), Some(current)) if child => {
                Place { context: creation.context.clone(), links: vec![sender.clone(), current.clone()] }
            }
            (None, None) => Place { context: creation.story(ambient, None), links: Vec::new() },
            (_, current) => Place {
                context: creation.story(ambient, current),
                links: creation.sender().cloned().into_iter().collect(),
            },
        }
    }
}

/// The context that a message was created in.
#[derive(Clone, Debug, Default)]
pub(crate) struct Creation {
    pub(crate) context: Context,
    /// Whether the message brought the correlation id along, rather than having been given one on arrival.
    pub(crate) correlated: bool,
}

impl Creation {
    /// The span that sent the message, whether its trace goes on here or was restarted.
    pub(crate) fn sender(&self) -> Option<&SpanContext> {
        self.context.span().or_else(|| self.context.restarted_from())
    }

    /// The message's correlation id and baggage below the span `parent`, which isn't the message's.
    fn story(&self, ambient: &Context, parent: Option<&SpanContext>) -> Context {
        let correlation_id = if self.correlated {
            self.context.correlation_id()
        } else {
            ambient.correlation_id().or(self.context.correlation_id())
        };
        // Where a trace was restarted, the context knows it, and makes the link.
        let mut context = match self.context.span() {
            None => self.context.clone(),
            Some(_) => Context::default().with_baggage(self.context.baggage().clone()),
        };
        if let Some(id) = correlation_id {
            context = context.with_correlation_id(id.clone());
        }
        if let Some(parent) = parent {
            context = context.with_span(parent.clone());
        }
        context
    }
}

/// Where a span goes.
#[derive(Debug)]
pub(crate) struct Place {
    /// What is current while the span is created: its parent, correlation id and baggage.
    pub(crate) context: Context,
    pub(crate) links: Vec<SpanContext>,
}
