//! The layer that gives every span its identity.

use std::fmt;

use tracing::{
    Dispatch, Subscriber,
    span::{Attributes, Id},
};
use tracing_subscriber::{Layer, layer, registry::LookupSpan};

use crate::{Context, Pipeline, SpanData, bridge, current, suppress};

/// Gives every enabled `tracing` span its [`SpanData`] at birth, and keeps [`Context::current`] in step with the spans
/// that are entered.
///
/// It must stand below every layer that reads ids, that is, be added to the subscriber before them:
///
/// ```
/// use throughline_core::{Context, ContextLayer, Pipeline};
/// use tracing_subscriber::prelude::*;
///
/// let subscriber = tracing_subscriber::registry().with(ContextLayer::new(Pipeline::builder().build()));
/// tracing::subscriber::with_default(subscriber, || {
///     let span = tracing::info_span!("order").entered();
///     assert!(Context::current().span().is_some());
///     drop(span);
///     assert!(Context::current().span().is_none());
/// });
/// ```
///
/// The parent of a span is the innermost scope of its thread, unless the span names a parent of its own
/// (`parent: &span`) or refuses one (`parent: None`).
pub struct ContextLayer {
    pipeline: Pipeline,
    /// How to find a span in the subscriber below, whose type is known only when the layer is added to it.
    find: Option<Find>,
}

type Find = fn(&Dispatch, &Id, &mut dyn FnMut(&mut SpanData));

impl ContextLayer {
    /// A layer that samples and propagates as `pipeline` says.
    #[must_use]
    pub const fn new(pipeline: Pipeline) -> Self {
        Self { pipeline, find: None }
    }

    /// What the hops under this subscriber share.
    #[must_use]
    pub const fn pipeline(&self) -> &Pipeline {
        &self.pipeline
    }

    /// Runs `visit` on the data of span `id` of `dispatch`, if there is such a span.
    pub(crate) fn visit(dispatch: &Dispatch, id: &Id, visit: &mut dyn FnMut(&mut SpanData)) {
        if let Some(find) = dispatch.downcast_ref::<Self>().and_then(|layer| layer.find) {
            find(dispatch, id, visit);
        }
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for ContextLayer {
    fn on_layer(&mut self, _: &mut S) {
        self.find = Some(find_in::<S>);
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, ctx: layer::Context<'_, S>) {
        let Some(sampler) = self.pipeline.sampler().filter(|_| !suppress::is_suppressed()) else {
            return;
        };
        let Some(span) = ctx.span(id) else { return };
        let parent = parent_of(attributes, &ctx);
        let name = attributes.metadata().name();
        span.extensions_mut().insert(SpanData::born(&parent, name, sampler));
        if let Some(orphans) = self.pipeline.orphans()
            && attributes.is_contextual()
            && orphans.is_orphan(attributes.metadata())
        {
            span.extensions_mut().insert(NotYetReported);
        }
    }

    fn on_enter(&self, id: &Id, ctx: layer::Context<'_, S>) {
        let Some(span) = ctx.span(id) else { return };
        let entered = span.extensions().get::<SpanData>().map(|data| {
            (data.context().clone(), bridge::installed().and_then(|_| data.companion().cloned()))
        });
        if let Some((context, companion)) = entered {
            current::push_span(id.into_u64(), context, companion.as_ref());
        }
        if let Some(orphans) = self.pipeline.orphans()
            && span.extensions_mut().remove::<NotYetReported>().is_some()
        {
            orphans.report_span(span.metadata());
        }
    }

    fn on_exit(&self, id: &Id, _: layer::Context<'_, S>) {
        current::pop_span(id.into_u64());
    }
}

/// On an orphan until it is entered: a layer that hears of a new span can't log, one that hears of an entered span can.
struct NotYetReported;

fn find_in<S>(dispatch: &Dispatch, id: &Id, visit: &mut dyn FnMut(&mut SpanData))
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let Some(span) = dispatch.downcast_ref::<S>().and_then(|subscriber| subscriber.span(id)) else {
        return;
    };
    if let Some(data) = span.extensions_mut().get_mut::<SpanData>() {
        visit(data);
    }
}

fn parent_of<S>(attributes: &Attributes<'_>, ctx: &layer::Context<'_, S>) -> Context
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    if attributes.is_contextual() {
        return Context::current();
    }
    let parent = attributes.parent().and_then(|id| ctx.span(id));
    parent
        .and_then(|span| span.extensions().get::<SpanData>().map(|data| data.context().clone()))
        .unwrap_or_default()
}

impl fmt::Debug for ContextLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ContextLayer").field("pipeline", &self.pipeline).finish_non_exhaustive()
    }
}
