//! Reading what a caller sent, and writing what the next hop gets.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use crate::{
    Baggage, Carrier, Context, CorrelationId, EdgePolicy, SpanContext, TraceparentError, Tracestate,
    edge::Stance, traceparent,
};

const TRACEPARENT: &str = "traceparent";
const TRACESTATE: &str = "tracestate";
const BAGGAGE: &str = "baggage";
/// The usual name of the correlation id's header.
pub const CORRELATION_HEADER: &str = "x-correlation-id";

/// Reads and writes context on any [`Carrier`].
#[derive(Clone)]
pub struct Propagator(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    correlation_header: String,
    also_accepted: Vec<String>,
    on: bool,
    counters: Counters,
}

#[derive(Debug, Default)]
struct Counters {
    traceparent_invalid: AtomicU64,
    tracestate_invalid: AtomicU64,
    baggage_members_dropped: AtomicU64,
    correlation_replaced: AtomicU64,
}

/// What was refused so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PropagationCounters {
    /// `traceparent` headers that were ignored.
    pub traceparent_invalid: u64,
    /// `tracestate` lists that were dropped.
    pub tracestate_invalid: u64,
    /// Members of `baggage` that were dropped.
    pub baggage_members_dropped: u64,
    /// Correlation ids that were replaced by a fresh one.
    pub correlation_replaced: u64,
}

/// A header name that cannot carry the correlation id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeaderNameError(String);

impl fmt::Display for HeaderNameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:?} cannot be the name of the correlation id's header",
            self.0
        )
    }
}

impl std::error::Error for HeaderNameError {}

impl Default for Propagator {
    fn default() -> Self {
        Self(Arc::new(Inner {
            correlation_header: CORRELATION_HEADER.to_owned(),
            also_accepted: Vec::new(),
            on: true,
            counters: Counters::default(),
        }))
    }
}

impl Propagator {
    /// Reads and writes nothing.
    #[must_use]
    pub fn off() -> Self {
        Self(Arc::new(Inner {
            on: false,
            ..Inner::fresh()
        }))
    }

    /// The same under another name for the correlation id.
    ///
    /// # Errors
    /// When the name is no header name, or is taken.
    pub fn correlation_header(self, name: &str) -> Result<Self, HeaderNameError> {
        let correlation_header = header_name(name)?;
        Ok(Self(Arc::new(Inner {
            correlation_header,
            ..self.0.again()
        })))
    }

    /// Takes a correlation id from this header, too, where its own is absent.
    ///
    /// # Errors
    /// When the name is no header name, or is taken.
    pub fn accept_correlation_from(self, name: &str) -> Result<Self, HeaderNameError> {
        let mut inner = self.0.again();
        inner.also_accepted.push(header_name(name)?);
        Ok(Self(Arc::new(inner)))
    }

    /// The name of the correlation id's header.
    #[must_use]
    pub fn correlation_header_name(&self) -> &str {
        &self.0.correlation_header
    }

    /// The names of the fields that [`inject`](Self::inject) writes.
    pub fn fields(&self) -> impl Iterator<Item = &str> {
        [TRACEPARENT, TRACESTATE, BAGGAGE, &self.0.correlation_header].into_iter()
    }

    /// What was refused so far.
    #[must_use]
    pub fn counters(&self) -> PropagationCounters {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let counters = &self.0.counters;
        PropagationCounters {
            traceparent_invalid: read(&counters.traceparent_invalid),
            tracestate_invalid: read(&counters.tracestate_invalid),
            baggage_members_dropped: read(&counters.baggage_members_dropped),
            correlation_replaced: read(&counters.correlation_replaced),
        }
    }

    /// What a caller sent, as far as the policy believes it. Never fails.
    pub fn extract(&self, carrier: &dyn Carrier, edge: &EdgePolicy) -> Context {
        let fresh = || Context::default().with_correlation_id(CorrelationId::generate());
        if !self.0.on || edge.stance() == Stance::Ignore {
            return fresh();
        }
        let mut context = Context::default().with_correlation_id(self.correlation_id(carrier));
        if let Some(span) = self.span(carrier) {
            context = context.with_span(span);
        }
        let baggage = self.baggage(carrier);
        if baggage.is_empty() {
            context
        } else {
            context.with_baggage(baggage)
        }
    }

    /// Writes what the next hop is to get, in place of what the carrier had.
    pub fn inject(&self, context: &Context, carrier: &mut dyn Carrier) {
        if !self.0.on {
            return;
        }
        for field in self.fields() {
            carrier.remove(field);
        }
        if let Some(span) = context.span() {
            carrier.set(
                TRACEPARENT,
                std::str::from_utf8(&traceparent::format(span)).unwrap_or_default(),
            );
            if !span.tracestate().is_empty() {
                carrier.set(TRACESTATE, span.tracestate().as_str());
            }
        }
        if !context.baggage().is_empty() {
            carrier.set(BAGGAGE, &context.baggage().to_header());
        }
        if let Some(id) = context.correlation_id() {
            carrier.set(&self.0.correlation_header, id.as_str());
        }
    }

    fn span(&self, carrier: &dyn Carrier) -> Option<SpanContext> {
        let mut read = None;
        carrier.get_all(TRACEPARENT, &mut |value| {
            read = Some(if read.is_none() {
                traceparent::parse(value)
            } else {
                Err(TraceparentError::Repeated)
            });
        });
        let Ok(span) = read? else {
            count(&self.0.counters.traceparent_invalid, 1);
            return None;
        };
        let Some(list) = joined(carrier, TRACESTATE) else {
            return Some(span);
        };
        match Tracestate::parse(&list) {
            Ok(tracestate) => Some(span.with_tracestate(tracestate)),
            Err(_) => {
                count(&self.0.counters.tracestate_invalid, 1);
                Some(span)
            }
        }
    }

    fn baggage(&self, carrier: &dyn Carrier) -> Baggage {
        let Some(header) = joined(carrier, BAGGAGE) else {
            return Baggage::default();
        };
        let (baggage, dropped) = Baggage::parse(&header);
        count(&self.0.counters.baggage_members_dropped, dropped as u64);
        baggage
    }

    fn correlation_id(&self, carrier: &dyn Carrier) -> CorrelationId {
        let names = std::iter::once(&self.0.correlation_header).chain(&self.0.also_accepted);
        let mut found = None;
        for name in names {
            carrier.get_all(name, &mut |value| {
                found.get_or_insert_with(|| CorrelationId::parse(crate::octets::trim(value)));
            });
        }
        match found {
            Some(Some(id)) => id,
            Some(None) => {
                count(&self.0.counters.correlation_replaced, 1);
                CorrelationId::generate()
            }
            None => CorrelationId::generate(),
        }
    }
}

impl Inner {
    fn fresh() -> Self {
        Self {
            correlation_header: CORRELATION_HEADER.to_owned(),
            also_accepted: Vec::new(),
            on: true,
            counters: Counters::default(),
        }
    }

    fn again(&self) -> Self {
        Self {
            correlation_header: self.correlation_header.clone(),
            also_accepted: self.also_accepted.clone(),
            on: self.on,
            counters: Counters::default(),
        }
    }
}

impl fmt::Debug for Propagator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// All values of a field, joined with commas.
fn joined(carrier: &dyn Carrier, name: &str) -> Option<Vec<u8>> {
    let mut all: Option<Vec<u8>> = None;
    carrier.get_all(name, &mut |value| match &mut all {
        None => all = Some(value.to_vec()),
        Some(all) => {
            all.push(b',');
            all.extend_from_slice(value);
        }
    });
    all
}

fn count(counter: &AtomicU64, by: u64) {
    if by > 0 {
        counter.fetch_add(by, Ordering::Relaxed);
    }
}

fn header_name(name: &str) -> Result<String, HeaderNameError> {
    let lower = name.to_ascii_lowercase();
    let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    let taken = [TRACEPARENT, TRACESTATE, BAGGAGE].contains(&lower.as_str());
    if lower.is_empty() || taken || !lower.bytes().all(token) {
        return Err(HeaderNameError(name.to_owned()));
    }
    Ok(lower)
}
