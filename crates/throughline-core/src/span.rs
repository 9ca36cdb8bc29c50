//! What `tracing` cannot say about a span.

use std::{any::type_name, error::Error};

use tracing::Span;

use crate::{Context, ContextLayer, SpanContext, SpanData, SpanRecord, Status, Value, error_chain, semconv};

mod sealed {
    #[expect(unnameable_types, reason = "what cannot be named cannot be implemented elsewhere")]
    pub trait Sealed {}
    impl Sealed for tracing::Span {}
}

/// Attributes of any type, links, status and name for a [`tracing::Span`].
///
/// `tracing` drops a field that was not declared when the span was created and has no arrays, links or status. These
/// methods write straight to the records of the span layers. They work as long as the span is open, entered or not, and
/// do nothing on a span that is disabled or not sampled. What is set here does not appear on log lines.
///
/// ```
/// use throughline_core::{SpanExt, Status};
///
/// let span = tracing::info_span!("checkout");
/// span.set_attribute("cart.items", 3).set_attribute("cart.skus", ["a1", "b2"].as_slice());
/// span.set_status(Status::Error("card declined"));
/// ```
pub trait SpanExt: sealed::Sealed {
    /// Sets an attribute; a later value for the same key replaces the earlier one.
    fn set_attribute<'a>(&self, key: &str, value: impl Into<Value<'a>>) -> &Self;

    /// Links to another span, open, closed or remote.
    fn add_link(&self, context: &SpanContext, attributes: &[(&str, Value<'_>)]) -> &Self;

    /// Sets the status. Instrumentation leaves a success unset.
    fn set_status(&self, status: Status<'_>) -> &Self;

    /// Replaces the span's name.
    fn set_name(&self, name: &str) -> &Self;

    /// Marks the span as failed: status, `error.type` and an `exception` event with the error and its sources.
    ///
    /// The messages of the errors are exported as they are: do not pass an error that quotes a secret.
    fn record_error<E: Error + ?Sized>(&self, error: &E) -> &Self;

    /// Runs `change` on each record of this span, with one look-up for any number of changes.
    ///
    /// Not called at all where nothing is recorded. Inside, creating spans or events is not allowed.
    fn edit(&self, change: impl FnMut(&mut dyn SpanRecord)) -> &Self;

    /// The context inside this span, or the current one where the span is disabled.
    fn context(&self) -> Context;

    /// Whether the span has ids of its own: it is enabled, and [`ContextLayer`] saw it. Without, whoever opened it has
    /// to keep the incoming context current beside it.
    fn has_context(&self) -> bool;
}

impl SpanExt for Span {
    fn set_attribute<'a>(&self, key: &str, value: impl Into<Value<'a>>) -> &Self {
        let value = value.into();
        self.edit(|record| record.attribute(key, value))
    }

    fn add_link(&self, context: &SpanContext, attributes: &[(&str, Value<'_>)]) -> &Self {
        self.edit(|record| record.link(context, attributes))
    }

    fn set_status(&self, status: Status<'_>) -> &Self {
        self.edit(|record| record.status(status))
    }

    fn set_name(&self, name: &str) -> &Self {
        self.edit(|record| record.name(name))
    }

    fn record_error<E: Error + ?Sized>(&self, error: &E) -> &Self {
        let message = error.to_string();
        let chain = error_chain(error);
        let kind = error_type::<E>();
        self.edit(|record| {
            record.status(Status::Error(&message));
            record.attribute(semconv::error::ERROR_TYPE, kind.into());
            record.event(
                semconv::error::EXCEPTION_EVENT,
                &[
                    (semconv::error::EXCEPTION_TYPE, kind.into()),
                    (semconv::error::EXCEPTION_MESSAGE, chain.as_str().into()),
                ],
            );
        })
    }

    fn edit(&self, mut change: impl FnMut(&mut dyn SpanRecord)) -> &Self {
        visit(self, |data| data.records_mut().for_each(&mut change));
        self
    }

    fn context(&self) -> Context {
        let mut found = None;
        visit(self, |data| found = Some(data.context().clone()));
        found.unwrap_or_else(Context::current)
    }

    fn has_context(&self) -> bool {
        let mut found = false;
        visit(self, |_| found = true);
        found
    }
}

/// Runs `change` on each record of the span that the caller is in: [`SpanExt::edit`] for the current span, at half its
/// price, since no handle to the span is made.
///
/// ```
/// let _span = tracing::info_span!("checkout").entered();
/// throughline_core::edit_current_span(|record| record.attribute_static("cart.items", 3.into()));
/// ```
pub fn edit_current_span(mut change: impl FnMut(&mut dyn SpanRecord)) {
    tracing::dispatcher::get_default(|dispatch| {
        if let Some(id) = dispatch.current_span().id() {
            ContextLayer::visit(dispatch, id, &mut |data| data.records_mut().for_each(&mut change));
        }
    });
}

fn visit(span: &Span, mut visit: impl FnMut(&mut SpanData)) {
    span.with_subscriber(|(id, dispatch)| ContextLayer::visit(dispatch, id, &mut visit));
}

/// The error's type where it is known; behind a `dyn Error` it is not.
fn error_type<E: ?Sized>() -> &'static str {
    let name = type_name::<E>();
    if name.starts_with("dyn ") { semconv::error::ERROR_TYPE_OTHER } else { name }
}
